import type { BlobStore } from '@bascule/content/blobs/blob-store.ts'
import { openDiskBlobStore } from '@bascule/content/blobs/disk-blob-store.ts'
import { join } from 'node:path'
import type { FeatureFactory } from '#/platform/feature.ts'
import { registerBlobRoutes } from './blob.routes.ts'
import { registerImportRoute } from './import.routes.ts'
import { registerRegistryRoutes } from './registry.routes.ts'

declare module '#/platform/feature.ts' {
  interface Services {
    /** Where the bytes of packages and release manifests lie. */
    blobs: BlobStore
  }
}

export const libraryFeature: FeatureFactory = (services) => {
  services.blobs = openDiskBlobStore(join(services.config.dataFolder, 'blobs'))
  return {
    routes(app) {
      registerBlobRoutes(app, services)
      registerImportRoute(app, services)
      registerRegistryRoutes(app, services)
    },
  }
}

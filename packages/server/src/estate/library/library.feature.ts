import type { BlobStore } from '@bascule/content/blobs/blob-store.ts'
import { openDiskBlobStore } from '@bascule/content/blobs/disk-blob-store.ts'
import { join } from 'node:path'
import type { FeatureFactory } from '#/platform/feature.ts'
import { wake } from '#/platform/jobs/timer.ts'
import { registerBlobRoutes } from './blob.routes.ts'
import { registerImportRoute } from './import.routes.ts'
import { registerRegistryRoutes } from './registry.routes.ts'

declare module '#/platform/feature.ts' {
  interface Services {
    /** Where the bytes of packages and release manifests lie. */
    blobs: BlobStore
  }
}

const uploadSweep = 'upload-sweep'
const sweepEvery = Temporal.Duration.from({ hours: 1 })
/** Long enough for somebody to go on after a weekend. */
const uploadLife = Temporal.Duration.from({ hours: 72 })

export const libraryFeature: FeatureFactory = (services) => {
  const blobs = openDiskBlobStore(join(services.config.dataFolder, 'blobs'))
  services.blobs = blobs
  return {
    routes(app) {
      registerBlobRoutes(app, services)
      registerImportRoute(app, services)
      registerRegistryRoutes(app, services)
    },
    reconcilers: {
      async [uploadSweep](_key, { now, log }) {
        const dropped = await blobs.dropUploads(now.subtract(uploadLife))
        if (dropped > 0) log.info({ dropped }, 'abandoned uploads were dropped')
        return { next: now.add(sweepEvery) }
      },
    },
    async start() {
      await wake(services.db, uploadSweep, 'all', services.now())
      return { [Symbol.asyncDispose]: async () => {} }
    },
  }
}

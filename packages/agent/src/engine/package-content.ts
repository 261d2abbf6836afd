import type { PackageConfig } from '@bascule/contract/estate/oci.ts'
import type { VersionContent } from '#/installers/installer.ts'

/** What a device with these modules has on disk, from the signed recipe. */
export function contentOf(config: PackageConfig, modules: readonly string[]): VersionContent {
  return {
    files: config.files.filter((file) => modules.includes(file.module)),
    links: config.links.filter((link) => modules.includes(link.module)),
    detect: config.recipe.detect,
    health: config.recipe.verify.health ?? null,
  }
}

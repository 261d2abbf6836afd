import type { ExpectedLayer } from '@bascule/content/oci/unpack.ts'
import type { PackageFile, PackageLink } from '@bascule/contract/estate/oci.ts'
import type { HealthCheck } from '@bascule/contract/estate/package-spec.ts'
import type { Authorisation } from '#/authority/authorised-by.ts'

/** What a version consists of, as its signed recipe says. Files of modules this device does not get are not in it. */
export interface VersionContent {
  readonly files: readonly PackageFile[]
  readonly links: readonly PackageLink[]
  readonly detect: readonly { readonly file: string; readonly sha256?: string | undefined }[]
  readonly health: HealthCheck | null
}

/** Written beside the files of a version: from it the device knows again what it has when its journal is lost. */
export interface VersionRecord extends VersionContent {
  readonly format: 1
  readonly package: string
  readonly version: string
  readonly index: string
  readonly variant: string
  readonly modules: readonly string[]
  readonly installer: string
  readonly productLine: string
  readonly release: string
  readonly counter: number
  readonly manifestSha256: string
  readonly generation: number
  /** Name of the manifest with its board, and who let it onto this device; agents before this one did not note it. */
  readonly path?: string
  readonly authorisedBy?: Authorisation
  readonly stagedAt: string
}

/** What was found on disk, compared with what should be there. */
export interface Inspection {
  readonly problems: readonly string[]
  readonly fileCount: number
  /** SHA-256 over the canonical list of what was found. */
  readonly treeSha256: string
}

/** Puts one version beside the others; the paths of the layers are already verified against their digests. */
export interface StageRequest {
  readonly package: string
  readonly folder: string
  readonly layers: readonly { readonly path: string; readonly expected: ExpectedLayer }[]
  readonly record: VersionRecord
}

/**
 * One way to install software. Every call may be repeated after an interruption at any instruction, and none may leave
 * an activation that points to something incomplete: before, between and after, the old or the new version is whole.
 */
export interface Installer {
  readonly type: string
  stage(request: StageRequest): Promise<void>
  /** Folder name of the active version; null when there is none. */
  active(packageName: string, activation: string): string | null
  /** Makes a version the active one, or (null) none. Atomic, and durable on return. */
  activate(packageName: string, activation: string, folder: string | null): void
  /** Detection only: is it there? Answers what is missing. */
  detect(packageName: string, folder: string, content: VersionContent): string[]
  /** Re-hashes every file. */
  inspect(packageName: string, folder: string, content: VersionContent): Inspection
  /** The record of a version on disk; null when there is none that can be read. */
  record(packageName: string, folder: string): VersionRecord | null
  /** Packages and versions found on disk. */
  versions(): { readonly package: string; readonly folder: string }[]
  /** Where a version lies: the working folder of its commands. */
  pathOf(packageName: string, folder: string): string
  /** Removes versions that nothing points to, and what interrupted stages left. */
  tidy(packageName: string, keep: readonly string[]): void
}

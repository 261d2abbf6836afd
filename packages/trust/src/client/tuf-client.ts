import { type Fetcher, Updater, type UpdaterOptions } from 'tuf-js'

/** Where a device keeps verified metadata. Names are file names such as `root.json`; a write replaces a whole file. */
export interface MetadataCache {
  readonly read: (name: string) => Uint8Array | undefined
  readonly write: (name: string, bytes: Uint8Array) => void
}

/** A role as tuf-js has verified it: what was signed, and the signatures that stand beside it. */
export interface VerifiedMetadata {
  readonly signed: { readonly toJSON: () => object; readonly version: number }
  readonly signatures: Readonly<Record<string, { readonly keyID: string; readonly sig: string }>>
}

/** The parts of tuf-js that its types keep to themselves and that a device cannot do without. */
declare class UpdaterParts {
  constructor(options: UpdaterOptions)
  readonly dir: unknown
  readonly trustedSet: {
    referenceTime: Date
    readonly root: VerifiedMetadata
    readonly timestamp: VerifiedMetadata | undefined
    readonly snapshot: VerifiedMetadata | undefined
    readonly getRole: (name: string) => VerifiedMetadata | undefined
  }
  refresh(): Promise<void>
  getTargetInfo(path: string): Promise<unknown>
  loadLocalMetadata(role: string): Buffer
  persistMetadata(role: string, bytes: Buffer): void
}
const Base = Updater as unknown as typeof UpdaterParts

export const metadataBaseUrl = 'https://repository.invalid/'

/**
 * tuf-js as published, with its two file accesses led to our cache and its clock set to ours. It offers no other way:
 * it writes files in place, so a loss of power would leave half of one, and it reads the clock of the machine, which a
 * device may not believe. No line of its verification is replaced; the version is pinned exactly.
 */
export class TufClient extends Base {
  constructor(cache: MetadataCache, fetcher: Fetcher, at: Temporal.Instant, forceCache: boolean) {
    // The base class reads the root before a subclass has fields, so the cache travels in the option it calls a folder.
    super({ metadataDir: cache as unknown as string, metadataBaseUrl, fetcher, forceCache })
    this.trustedSet.referenceTime = new Date(at.epochMilliseconds)
  }

  override loadLocalMetadata(role: string): Buffer {
    const bytes = (this.dir as MetadataCache).read(fileNameOf(role))
    if (!bytes) throw new Error(`Reading ${role} from the cache: it is not there`)
    return Buffer.from(bytes)
  }

  override persistMetadata(role: string, bytes: Buffer): void {
    const cache = this.dir as MetadataCache
    cache.write(fileNameOf(role), bytes)
  }
}

function fileNameOf(role: string): string {
  return `${encodeURIComponent(role)}.json`
}

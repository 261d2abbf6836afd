import type { Assignment } from '@bascule/contract/device/protocol.ts'
import { devicePaths } from '@bascule/contract/device/protocol.ts'
import { ReleaseManifest } from '@bascule/contract/device/release-manifest.ts'
import { sha256Hex } from '@bascule/trust/keys.ts'
import { createHash } from 'node:crypto'
import * as z from 'zod'
import type { Knowledge } from '#/device/hear.ts'
import type { Http } from './http-send.ts'

/** Releases that the server has told devices of; each is fetched once for the whole fleet. */
export interface Releases {
  readonly manifests: Knowledge['manifests']
  /** Brings the manifests that an assignment names here. One that cannot be had is left out, and the device asks again. */
  fetchFor(assignment: Assignment): Promise<void>
  /** Bytes of packages that were really downloaded, checked against their digests and thrown away. */
  downloadedBytes(): number
}

/** `withBytes`: every package is downloaded once per device as well. */
export function createReleases(http: Http, withBytes: boolean): Releases {
  const manifests = new Map<string, { manifest: ReleaseManifest; bytes: Uint8Array }>()
  const onTheWay = new Map<string, Promise<void>>()
  let bytes = 0

  async function fetchManifest(hex: string): Promise<void> {
    const { status, body } = await http.get(devicePaths.blob(hex))
    if (status !== 200) throw new Error(`The release manifest ${hex} was answered with ${status}`)
    if (sha256Hex(body) !== hex) throw new Error(`The release manifest ${hex} has other bytes`)
    manifests.set(hex, { manifest: ReleaseManifest.parse(JSON.parse(body.toString('utf8'))), bytes: body })
  }

  function once(hex: string): Promise<void> {
    const known = onTheWay.get(hex) ?? fetchManifest(hex).finally(() => onTheWay.delete(hex))
    onTheWay.set(hex, known)
    return known
  }

  return {
    manifests,
    async fetchFor(assignment) {
      for (const { hashes, custom } of Object.values(assignment.signed.targets)) {
        if (!manifests.has(hashes.sha256)) await once(hashes.sha256)
        if (!withBytes || custom.action !== 'install') continue
        for (const { index } of manifests.get(hashes.sha256)?.manifest.packages ?? []) {
          bytes += await downloadTree(http, index.digest)
        }
      }
    },
    downloadedBytes: () => bytes,
  }
}

const Descriptors = z.object({
  manifests: z.array(z.object({ digest: z.string() })).default([]),
  config: z.object({ digest: z.string() }).optional(),
  layers: z.array(z.object({ digest: z.string() })).default([]),
})

/** Downloads an OCI index or manifest and everything it names. */
async function downloadTree(http: Http, digest: string): Promise<number> {
  const { status, body } = await http.get(devicePaths.blob(hexOf(digest)))
  if (status !== 200 || `sha256:${sha256Hex(body)}` !== digest) throw new Error(`Bad bytes for ${digest}`)
  const { manifests, config, layers } = Descriptors.parse(JSON.parse(body.toString('utf8')))
  let bytes = body.length
  for (const one of manifests) bytes += await downloadTree(http, one.digest)
  for (const one of config ? [config, ...layers] : layers) bytes += await downloadBlob(http, one.digest)
  return bytes
}

async function downloadBlob(http: Http, digest: string): Promise<number> {
  const hash = createHash('sha256')
  let bytes = 0
  const { status } = await http.get(devicePaths.blob(hexOf(digest)), (chunk) => {
    hash.update(chunk)
    bytes += chunk.length
  })
  if (status !== 200 || `sha256:${hash.digest('hex')}` !== digest) throw new Error(`Bad bytes for ${digest}`)
  return bytes
}

function hexOf(digest: string): string {
  return digest.replace('sha256:', '')
}

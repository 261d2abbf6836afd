import { sha256Hex } from '#/keys.ts'

/**
 * Where a device stands in a release whose audience the server decides: 0 to 999, the same for everybody who asks, and
 * unrelated between two releases. A phase that is signed for 50 permille holds the devices below 50.
 */
export function audiencePosition(deviceId: string, targetPath: string): number {
  return Number.parseInt(sha256Hex(`bascule-position-v1\n${targetPath}\n${deviceId}`).slice(0, 8), 16) % 1000
}

/** Which devices are asked for the metadata they keep, because they have seen a newer one than this server has. */
export interface MetadataAsks {
  asks(deviceId: number, seenVersion: number, knownVersion: number, now: Temporal.Instant): boolean
  /** Whether the device was asked and has not answered yet. What nobody asked for is not looked at. */
  takeAnswer(deviceId: number): boolean
}

const paceMs = 1000
const againMs = 5 * 60_000
const rememberedMax = 10_000

/**
 * After a restore the whole fleet knows more than the server. One device a second is enough, and a device that claims a
 * version which nobody can prove takes a turn only every few minutes.
 */
export function createMetadataAsks(): MetadataAsks {
  const askedAtMs = new Map<number, number>()
  const unanswered = new Set<number>()
  let lastMs = Number.NEGATIVE_INFINITY
  return {
    asks(deviceId, seenVersion, knownVersion, now) {
      const nowMs = now.epochMilliseconds
      // Without any metadata there is no root, and a root is nothing that a device could bring.
      if (knownVersion === 0 || seenVersion <= knownVersion || nowMs - lastMs < paceMs) return false
      if (nowMs - (askedAtMs.get(deviceId) ?? Number.NEGATIVE_INFINITY) < againMs) return false
      if (askedAtMs.size >= rememberedMax) {
        askedAtMs.clear()
        unanswered.clear()
      }
      askedAtMs.set(deviceId, nowMs)
      unanswered.add(deviceId)
      lastMs = nowMs
      return true
    },
    takeAnswer: (deviceId) => unanswered.delete(deviceId),
  }
}

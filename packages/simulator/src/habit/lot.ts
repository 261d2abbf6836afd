/**
 * A number from 0 to 1 (without 1) that depends on nothing but its arguments: the same seed, device and question give
 * the same answer in every run and in any order. Good enough for habits and faults; never for a secret.
 */
export function lot(seed: number, question: string, ...keys: readonly number[]): number {
  let hash = mix(seed ^ 0x9e37_79b9)
  for (let at = 0; at < question.length; at += 1) hash = mix(hash ^ question.charCodeAt(at))
  for (const key of keys) hash = mix(mix(hash ^ (key >>> 0)) ^ Math.trunc(key / 2 ** 32))
  return hash / 2 ** 32
}

/** The final mix of MurmurHash3: every bit of the input reaches every bit of the answer. */
function mix(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85eb_ca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** Whether this happens in so many of a thousand cases. */
export function happens(permille: number, seed: number, question: string, ...keys: readonly number[]): boolean {
  return lot(seed, question, ...keys) * 1000 < permille
}

/** A number between two bounds whose logarithm is uniform, as link speeds and disk sizes are. */
export function between(from: number, to: number, seed: number, question: string, ...keys: readonly number[]): number {
  return from * (to / from) ** lot(seed, question, ...keys)
}

import { sha256 } from './sha256.ts'

/**
 * The place of a device in a drawing of lots: the first 32 bits (big-endian) of SHA-256 over `seed LF id` in UTF-8.
 * It is uniform, never changes, and anybody can repeat it with `printf '%s\n%s' seed id | sha256sum`; in SQL it is
 * `sha256(convert_to(seed || E'\n' || id, 'UTF8'))`. Another seed draws independent lots.
 */
export function stableHash32(seed: string, id: string): number {
  return new DataView(digestOf(seed, id).buffer).getUint32(0)
}

/** The first 53 bits of the same digest, for finer lots: an integer below 2^53. */
export function stableHash53(seed: string, id: string): number {
  const bits = new DataView(digestOf(seed, id).buffer).getBigUint64(0)
  return Number(bits >> 11n)
}

/** Where parts per million begin on the 32-bit line. A device is inside [from, to) when its hash is. */
export function lotBound(ppm: number): number {
  return Math.ceil((ppm * 2 ** 32) / 1_000_000)
}

function digestOf(seed: string, id: string): Uint8Array {
  return sha256(utf8(`${seed}\n${id}`))
}

/** UTF-8 without TextEncoder, which is not part of the language. Lone surrogates become U+FFFD, as TextEncoder has it. */
function utf8(text: string): Uint8Array {
  const bytes: number[] = []
  for (const char of text.toWellFormed()) {
    const code = char.codePointAt(0) ?? 0
    if (code < 0x80) bytes.push(code)
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), tail(code))
    else if (code < 0x1_00_00) bytes.push(0xe0 | (code >> 12), tail(code >> 6), tail(code))
    else bytes.push(0xf0 | (code >> 18), tail(code >> 12), tail(code >> 6), tail(code))
  }
  return Uint8Array.from(bytes)
}

function tail(code: number): number {
  return 0x80 | (code & 0x3f)
}

const initial = rootsOfPrimes(8, 1 / 2)
const constants = rootsOfPrimes(64, 1 / 3)

/** SHA-256 (FIPS 180-4) in plain arithmetic, for rules that must give the same answer in a browser, in Node and in SQL. */
export function sha256(message: Uint8Array): Uint8Array {
  const padded = pad(message)
  const state = Uint32Array.from(initial)
  const schedule = new Uint32Array(64)
  for (let offset = 0; offset < padded.byteLength; offset += 64) compress(state, schedule, padded, offset)
  const digest = new DataView(new ArrayBuffer(32))
  for (const [index, word] of state.entries()) digest.setUint32(index * 4, word)
  return new Uint8Array(digest.buffer)
}

function pad(message: Uint8Array): DataView {
  const blocks = Math.ceil((message.length + 9) / 64)
  const bytes = new Uint8Array(blocks * 64)
  bytes.set(message)
  bytes[message.length] = 0x80
  const view = new DataView(bytes.buffer)
  view.setBigUint64(bytes.length - 8, BigInt(message.length) * 8n)
  return view
}

function compress(state: Uint32Array, w: Uint32Array, block: DataView, offset: number): void {
  for (let t = 0; t < 16; t += 1) w[t] = block.getUint32(offset + t * 4)
  for (let t = 16; t < 64; t += 1) w[t] = small1(at(w, t - 2)) + at(w, t - 7) + small0(at(w, t - 15)) + at(w, t - 16)

  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state
  for (let t = 0; t < 64; t += 1) {
    const one = (h + big1(e) + ((e & f) ^ (~e & g)) + at(constants, t) + at(w, t)) | 0
    const two = (big0(a) + ((a & b) ^ (a & c) ^ (b & c))) | 0
    h = g
    g = f
    f = e
    e = (d + one) | 0
    d = c
    c = b
    b = a
    a = (one + two) | 0
  }
  for (const [index, word] of [a, b, c, d, e, f, g, h].entries()) state[index] = at(state, index) + word
}

function at(words: Uint32Array, index: number): number {
  return words[index] as number
}

function rotate(x: number, by: number): number {
  return (x >>> by) | (x << (32 - by))
}

const big0 = (x: number) => rotate(x, 2) ^ rotate(x, 13) ^ rotate(x, 22)
const big1 = (x: number) => rotate(x, 6) ^ rotate(x, 11) ^ rotate(x, 25)
const small0 = (x: number) => rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3)
const small1 = (x: number) => rotate(x, 17) ^ rotate(x, 19) ^ (x >>> 10)

/** The first 32 bits of the fractional parts of the square or cube roots of the first primes: the standard's constants. */
function rootsOfPrimes(count: number, power: number): Uint32Array {
  const words = new Uint32Array(count)
  for (let candidate = 2, found = 0; found < count; candidate += 1) {
    if (!isPrime(candidate)) continue
    words[found] = (candidate ** power % 1) * 2 ** 32
    found += 1
  }
  return words
}

function isPrime(n: number): boolean {
  for (let divisor = 2; divisor * divisor <= n; divisor += 1) if (n % divisor === 0) return false
  return true
}

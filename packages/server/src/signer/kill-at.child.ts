import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

/**
 * Loaded before the signer by its crash test: kills the process with SIGKILL before its durable call number KILL_AT. A
 * write gets as far as its middle, because a real one can.
 */
const killAt = Number(process.env['KILL_AT'])
let calls = 0

type DurableCall = 'writeSync' | 'fsyncSync' | 'fdatasyncSync' | 'linkSync' | 'renameSync' | 'ftruncateSync'

function countCall(name: DurableCall, half?: (args: unknown[]) => void): void {
  const original = fs[name] as (...args: unknown[]) => unknown
  const counted = (...args: unknown[]) => {
    calls += 1
    if (calls === killAt) {
      half?.(args)
      process.kill(process.pid, 'SIGKILL')
    }
    return original(...args)
  }
  Object.assign(fs, { [name]: counted })
}

const { writeSync } = fs

/** Called as `writeSync(file, text)` and as `writeSync(file, bytes, offset, length, position)`. */
function writeHalf([file, data, offset, , position]: unknown[]): void {
  const bytes = Buffer.from(data as string | Buffer).subarray(Number(offset ?? 0))
  writeSync(file as number, bytes, 0, Math.floor(bytes.length / 2), (position as number | undefined) ?? null)
}

countCall('writeSync', writeHalf)
countCall('fsyncSync')
countCall('fdatasyncSync')
countCall('linkSync')
countCall('renameSync')
countCall('ftruncateSync')
syncBuiltinESMExports()

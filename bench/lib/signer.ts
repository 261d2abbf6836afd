import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { root } from '#scripts/lib/root.ts'

/** The real signer in a process of its own, asked over its socket as the server asks it. */
export interface BenchSigner extends AsyncDisposable {
  ask<Answer>(question: object): Promise<Answer>
}

export async function startSigner(): Promise<BenchSigner> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-signer-'))
  const socketPath = join(folder, 's.sock')
  const program = join(root, 'packages', 'server', 'src', 'signer.ts')
  const args = [program, '--data', join(folder, 'data'), '--socket', socketPath, '--with-parent']
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const closed = once(child, 'close')
  const [ready] = (await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    closed.then(() => ['']),
  ])) as [string]
  if (ready === '') throw new Error('The signer did not start.')
  const socket = connect(socketPath)
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]()
  let id = 0
  return {
    async ask<Answer>(question: object) {
      id += 1
      socket.write(`${JSON.stringify({ id, ...question })}\n`)
      const line = await lines.next()
      if (line.done === true) throw new Error('The signer has hung up.')
      return JSON.parse(line.value) as Answer
    },
    async [Symbol.asyncDispose]() {
      socket.destroy()
      child.stdin.end()
      await closed
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

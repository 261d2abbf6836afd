import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startSigner } from '#/platform/run-signer.ts'
import { startTestServer, type TestServer, type TestServerOptions } from '#/platform/test/test-server.ts'
import { boardsOf, type Boards } from './boards.ts'

export interface SignedServer extends TestServer {
  readonly boards: Boards
}

/** A whole server with a signer process behind it, after the ceremony of a board for these product lines. */
export async function startSignedServer(
  options: TestServerOptions = {},
  lines?: readonly string[],
): Promise<SignedServer> {
  await using held = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), 'signed-'))
  held.defer(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  const signer = held.use(await startSigner({ dataFolder: folder, log: () => undefined }))
  const server = held.use(await startTestServer({ ...options, signerSocket: signer.socketPath }))
  const boards = await boardsOf(server.services, lines)
  const all = held.move()
  return { ...server, boards, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { findRunningPostgres } from '@bascule/postgres/embedded-postgres.ts'
import type { Config } from '#/platform/config.ts'
import { builtWeb } from '#/platform/http/built-web.ts'
import { connectSigner } from '#/platform/signer-client.ts'
import { fail, fine, wordsOf } from './finding.ts'
import type { Look } from './finding.ts'

const signerTimeoutMs = 3000

/** A signer of our own starts with the server; one that is configured has to answer now. */
export async function checkSigner({ signerSocket, dataFolder }: Config): Promise<Look> {
  const isOwn = signerSocket === undefined
  if (isOwn && findRunningPostgres(dataFolder) === undefined) return fine('The signer starts together with the server.')
  const socket = signerSocket ?? ownSocket(dataFolder)
  await using signer = connectSigner(socket, { timeoutMs: signerTimeoutMs })
  try {
    const { deviceCount } = await signer.status()
    return fine(`The signer answers at ${socket}; it has signed for ${deviceCount} devices.`)
  } catch (cause) {
    return fail(
      `The signer does not answer at ${socket}: ${wordsOf(cause)}.`,
      isOwn
        ? 'See the log of the server; it starts the signer again by itself.'
        : 'Start the signer, or correct BASCULE_SIGNER_SOCKET.',
    )
  }
}

/** Beside the signer's files, or where its note says when that path is too long for a socket. */
function ownSocket(dataFolder: string): string {
  const folder = join(resolve(dataFolder), 'signer')
  const note = join(folder, 'socket-folder')
  return join(existsSync(note) ? readFileSync(note, 'utf8').trim() : folder, 'signer.sock')
}

export function checkWeb({ webFolder }: Config): Look {
  const folder = webFolder ?? builtWeb
  if (existsSync(join(folder, 'index.html'))) return fine(`The pages for the browser are built (${folder}).`)
  return fail(
    `There are no pages for the browser in ${folder}.`,
    'Build them: node_modules/.bin/node scripts/build.ts (npm start does it by itself), or correct BASCULE_WEB.',
  )
}

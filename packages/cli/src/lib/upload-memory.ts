import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import type { UploadMemory } from '@bascule/content/oci/push-layout.ts'
import * as z from 'zod'

const Memory = z.record(z.string(), z.string())

/**
 * Where uploads to this server were begun, in the state folder of the user. It only saves time: when it is lost or
 * wrong, the upload begins anew.
 */
export function openUploadMemory(server: string, environment: NodeJS.ProcessEnv): UploadMemory {
  const state = environment['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state')
  const path = join(state, 'bascule', 'uploads.json')
  const keyOf = (digest: string): string => `${server} ${digest}`
  return {
    get: (digest) => readMemory(path)[keyOf(digest)],
    set(digest, location) {
      const { [keyOf(digest)]: _old, ...others } = readMemory(path)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, JSON.stringify(location === undefined ? others : { ...others, [keyOf(digest)]: location }))
    },
  }
}

function readMemory(path: string): Record<string, string> {
  try {
    return Memory.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    // Not there yet, or not ours: then nothing is remembered.
    return {}
  }
}

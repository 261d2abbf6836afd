import { authorise, type Authorised } from '#/authority.ts'
import { StuckError, WaitError } from './failure.ts'
import type { Job } from './job.ts'
import { bringBlob } from './read-json-blob.ts'
import { installedKey, type World } from './world.ts'

/** Brings the release manifest here and asks the authority. Throws what the refusal means for the job. */
export async function authoriseJob(world: World, job: Job, note: (text: string) => void): Promise<Authorised> {
  const { sha256, length } = job.manifest
  const manifestBytes = await bringBlob(world, { hex: sha256, sizeBytes: length }, note)
  return askAuthority(world, job, manifestBytes)
}

/** The same question again just before the change, without the network: what was fetched is here. */
export function authoriseAgain(world: World, job: Job): Authorised {
  const manifestBytes = world.store.read(job.manifest.sha256)
  if (!manifestBytes) throw new StuckError('storage', 'The release manifest is not readable on this disk any more.')
  return askAuthority(world, job, manifestBytes)
}

function askAuthority(world: World, job: Job, manifestBytes: Uint8Array): Authorised {
  const { identity, assignment, seenGeneration, installed } = world.journal.state
  if (!identity) throw new StuckError('trust', 'This device is not enrolled.')
  const answer = authorise({
    assignment,
    directorKey: identity.directorKey,
    deviceId: identity.deviceId,
    seenGeneration,
    nowIso: world.now(),
    jobId: job.id,
    manifestBytes,
    installed: installed[installedKey(job.productLine, job.activation)] ?? null,
  })
  if (answer.ok) return answer.value
  const { code, message, lift } = answer.error
  if (lift === 'permit') throw new WaitError('gate', message, 'the server sends a newer assignment')
  if (lift === 'time') throw new WaitError('window', message, 'the phase begins')
  throw new StuckError('trust', `${code}: ${message}`)
}

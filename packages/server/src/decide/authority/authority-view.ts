import type { AuthorityView } from '@bascule/contract/decide/authority.ts'
import { createHash } from 'node:crypto'
import type { Call } from '#/platform/http/os.ts'
import type { SignerClient } from '#/platform/signer-client.ts'
import { findKeyOwners } from '../draft/role-names.ts'
import { authorityRoles } from './authority-roles.ts'
import { renewalTasks } from './renewal-tasks.ts'
import type { SignedRepository } from './signed-repository.ts'

export interface AuthorityServices {
  readonly repository: Pick<SignedRepository, 'current' | 'files'>
  readonly signer: Pick<SignerClient, 'status'>
}

/** Who may decide what, until when, and what people have to sign soon. */
export async function viewAuthority(
  { db, now }: Pick<Call, 'db' | 'now'>,
  { repository, signer }: AuthorityServices,
): Promise<AuthorityView> {
  const state = await repository.current()
  const { onlineKeys, directorKey } = await signer.status()
  const roles = authorityRoles(state, await findKeyOwners(db), now)
  return {
    isSetUp: state.root !== undefined,
    root: anchorIn(repository.files),
    newestRootVersion: state.root?.signed.version ?? null,
    snapshotVersion: state.snapshot?.signed.version ?? null,
    timestampVersion: state.timestamp?.signed.version ?? null,
    onlineKeys: { ...onlineKeys, director: directorKey },
    roles,
    tasks: renewalTasks(roles),
  }
}

function anchorIn(files: SignedRepository['files']): AuthorityView['root'] {
  const text = files.get('1.root.json')
  return text === undefined ? null : { version: 1, sha256: createHash('sha256').update(text).digest('hex'), text }
}

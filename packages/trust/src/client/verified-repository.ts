import { type Refusal, type Result, refuse } from '@bascule/domain/lib/result.ts'
import { canonicalJson } from '#/canonical.ts'
import { sha256Hex } from '#/keys.ts'
import type { RoleSigned } from '#/tuf/documents.ts'
import { roleNameFrom } from '#/tuf/names.ts'
import { delegationsOf } from '#/tuf/repository-state.ts'
import { type VerifiedRepository, verifyBundle } from '#/tuf/verify-bundle.ts'
import { type MetadataSource, type RefreshInput, refreshAuthority } from './refresh-authority.ts'
import type { AuthorityRefusal } from './refusal.ts'
import type { VerifiedAuthority } from './verified-authority.ts'

export type VerifiedRepositoryInput = Pick<RefreshInput, 'anchor' | 'cache' | 'sources' | 'clock' | 'memory'>

/**
 * The whole repository as this machine has verified it: with the client that devices use, and again by a program that
 * shares no line of counting with it. It is what drafts are compared with, never what a server says is there. Where
 * something has ended only the second one can read it; `expired` names what that is.
 */
export async function verifiedRepository(input: VerifiedRepositoryInput): Promise<Result<VerifiedRepository, Refusal>> {
  let refusal: Refusal | undefined
  for (const source of input.sources) {
    const outcome = await readFrom({ ...input, sources: [recording(source)] })
    if (outcome.ok) return outcome
    refusal ??= outcome.error
  }
  return refuse(refusal ?? noSource)
}

async function readFrom(input: VerifiedRepositoryInput): Promise<Result<VerifiedRepository, Refusal>> {
  const refreshed = await refreshAll(input)
  if (!refreshed.ok && refreshed.error.code !== 'EXPIRED') return refreshed
  const [source] = input.sources
  if (!source) return refuse(noSource)
  const { bytes, sha256 = sha256Hex(bytes) } = input.anchor
  const fromAnchor: MetadataSource = {
    fetchMetadata: async (name, maxBytes) =>
      name === '1.root.json' ? bytes : await source.fetchMetadata(name, maxBytes),
  }
  const seen = refreshed.ok ? refreshed.value.memory : input.memory
  const read = await verifyBundle({ anchorSha256: sha256, source: fromAnchor, at: input.clock, seen })
  const other = read.ok && refreshed.ok ? differingRole(read.value, refreshed.value) : undefined
  return other === undefined ? read : refuse(disagreement(other))
}

/** First the custodians, then the boards, then their lines: only verified files say which there are. */
async function refreshAll(input: VerifiedRepositoryInput): Promise<Result<VerifiedAuthority, AuthorityRefusal>> {
  const top = await refreshAuthority({ ...input, lines: [] })
  if (!top.ok) return top
  const boards = delegatedBy(top.value, 'targets').filter((name) => roleNameFrom(name)?.kind === 'board')
  const below = await refreshAuthority({ ...input, lines: boards.map((board) => ({ board, line: 'none' })) })
  if (!below.ok) return below
  const lines = boards.flatMap((board) =>
    delegatedBy(below.value, board).flatMap((name) => {
      const role = roleNameFrom(name)
      return role?.kind === 'line' ? [{ board, line: role.line }] : []
    }),
  )
  return lines.length === 0 ? below : await refreshAuthority({ ...input, lines })
}

function delegatedBy(authority: VerifiedAuthority, role: string): string[] {
  const signed = authority.roles[role]?.signed as RoleSigned | undefined
  return delegationsOf(signed)?.roles.map(({ name }) => name) ?? []
}

/** Both programs read the same bytes, and a file is fetched once. */
function recording(source: MetadataSource): MetadataSource {
  const files = new Map<string, Uint8Array | undefined>()
  return {
    fetchMetadata: async (name, maxBytes) => {
      if (!files.has(name)) files.set(name, await source.fetchMetadata(name, maxBytes))
      return files.get(name)
    },
  }
}

function differingRole({ roles }: VerifiedRepository, authority: VerifiedAuthority): string | undefined {
  const differing = Object.values(authority.roles).find(({ name, signed }) => {
    return canonicalJson(roles[name]?.signed ?? null) !== canonicalJson(signed)
  })
  return differing?.name
}

function disagreement(role: string): Refusal {
  return {
    rule: 'two-programs-agree',
    fact: `Two programs read different things in ${role}.`,
    lifter: 'The server that handed out the file',
    next: 'Do not sign. Compare with another member, who sees the files from another machine.',
  }
}

const noSource: Refusal = {
  rule: 'some-source-answers',
  fact: 'No source is known.',
  lifter: 'You',
  next: 'Name the server.',
}

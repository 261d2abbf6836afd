import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '@bascule/testkit/content/package-folder.ts'
import { canonicalJson } from '@bascule/trust/canonical.ts'
import { expiryText, signDocument } from '@bascule/trust/envelope.ts'
import { generateKeyPair, keyIdOf, keyPairFromSeed, sha256Hex, verifyHex } from '@bascule/trust/keys.ts'
import type { ReleasesSigned, ReleaseTarget } from '@bascule/trust/tuf/documents.ts'
import { makeDraft, noVersion, verifiedVersionOf, type RoleDecision } from '@bascule/trust/tuf/draft.ts'
import { type Documents, publish } from '@bascule/trust/tuf/publish.ts'
import { emptyRepository, type RepositoryDraft, type RepositoryState } from '@bascule/trust/tuf/repository-state.ts'
import { beforeAll, expect, test } from 'vitest'
import { ceremonyChanges, documentsOf } from '#/lib/signing/governance.ts'
import { type LockedKey, lockKey } from '#/lib/signing/locked-key.ts'
import { type Claims, startLyingServer } from '#/testing/lying-server.ts'
import { type Outcome, runBascule } from '#/testing/run-bascule.ts'

/**
 * A member signs at the real command line; the server is in wrong hands. Whatever it shows, a signature leaves the
 * machine of the member only under the one thing that was decided, over the version that this machine verified.
 */
const at = Temporal.Now.instant()
const seed = Buffer.alloc(32, 5)
const ada = keyPairFromSeed(seed)
const ben = generateKeyPair()
const online = { snapshot: generateKeyPair(), timestamp: generateKeyPair() }
const director = generateKeyPair()
const passphrase = 'four quite ordinary words'
const draftId = '01900000-0000-7000-8000-000000000001'
const role = 'company.till'
let locked: LockedKey

beforeAll(async () => {
  locked = await lockKey(seed, { label: 'Ada', passphrase, cost: 1 << 14 })
})

interface Published {
  readonly state: RepositoryState
  readonly files: ReadonlyMap<string, Uint8Array>
}

function publishOnto(
  before: { state: RepositoryDraft; files: Published['files'] },
  documents: Documents,
  { snapshot, timestamp } = online,
  when = at,
): Published {
  const outcome = publish(before.state, documents, {
    online: { snapshot: [snapshot], timestamp: [timestamp] },
    at: when,
  })
  if (!outcome.ok) throw new Error(outcome.error.fact)
  const files = new Map([...before.files, ...outcome.value.files.map(({ name, bytes }) => [name, bytes] as const)])
  return { state: outcome.value.state, files }
}

function founded(founders = [ada, ben], keys = online, when = at): Published {
  const people = founders.map(({ publicKey }) => publicKey)
  const made = documentsOf(
    emptyRepository,
    ceremonyChanges({
      board: 'company',
      lines: ['till'],
      custodians: people,
      threshold: 2,
      members: people.map((publicKey) => ({ publicKey, level: 3 })),
      quorum: 2,
      emergencyQuorum: 2,
      online: {
        snapshot: keys.snapshot.publicKey,
        timestamp: keys.timestamp.publicKey,
        director: director.publicKey,
      },
    }),
    when,
  )
  if (!made.ok) throw new Error(made.error.fact)
  const documents: Documents = Object.fromEntries(
    made.value.map(({ role, signed }) => [role, signDocument(signed, founders)]),
  )
  return publishOnto({ state: emptyRepository, files: new Map() }, documents, keys, when)
}

const world = founded()
const rootSha256 = sha256Hex(world.files.get('1.root.json') ?? '')

interface Release {
  readonly bytes: Uint8Array
  readonly target: ReleaseTarget
  readonly path: string
}

function aRelease(counter: number, inManifest: Readonly<Record<string, unknown>> = {}): Release {
  const release = `REL-000${counter}`
  const phases = [
    { id: 'pilot', order: 1, audienceRoot: 'a'.repeat(64), permille: 50, notBefore: null, notAfter: null },
  ]
  const shared = { productLine: 'till', release, counter, phases, deadline: null, autoBackout: true, backoutFrom: [] }
  const index = { digest: `sha256:${'b'.repeat(64)}`, sizeBytes: 9 }
  const manifest = {
    _type: 'bascule-release',
    specVersion: 1,
    version: '4.2.0',
    packages: [{ name: 'till', version: '4.2.0', index, modules: [] }],
    verifyLevel: 4,
    offlineInstall: false,
    ...shared,
    ...inManifest,
  }
  const bytes = Buffer.from(canonicalJson(manifest))
  const custom = { kind: 'release', ...shared, mayRemove: true, decisionSha256: null } as const
  return {
    bytes,
    target: { length: bytes.length, hashes: { sha256: sha256Hex(bytes) }, custom },
    path: `company/till/normal/${release}.json`,
  }
}

function goFor({ path, target }: Release): RoleDecision {
  return { kind: 'go', path, target, retires: [], returns: [] }
}

function draftOf(decision: RoleDecision, before?: ReleasesSigned): ReleasesSigned {
  const made = makeDraft(before ? verifiedVersionOf(role, before) : { ...noVersion(role), version: 1 }, decision, at)
  if (!made.ok) throw new Error(made.error.fact)
  return made.value as ReleasesSigned
}

interface Lie {
  readonly release?: Release
  readonly decision?: RoleDecision
  readonly signed?: unknown
  readonly files?: Published['files']
  readonly blob?: Uint8Array
  readonly caseOf?: string
}

/** Case and draft as a server shows them; without a lie everything about it is true. */
function claimsOf(lie: Lie): Claims {
  const release = lie.release ?? aRelease(1)
  const decision = lie.decision ?? goFor(release)
  const member = (publicKey: string, name: string) => ({
    keyId: keyIdOf(publicKey),
    level: 3,
    personId: null,
    name,
    hasSigned: false,
  })
  const draft = {
    id: draftId,
    title: 'Go for the till',
    kind: 'decision',
    state: 'signing',
    caseId: 'CASE-0001',
    proposedBy: 'Rita',
    proposedAt: expiryText(at),
    publishedAt: null,
    refusal: null,
    documents: [
      {
        role,
        kind: 'line',
        decision,
        signed: lie.signed ?? draftOf(decision),
        signatures: [],
        threshold: 2,
        members: [member(ada.publicKey, 'Ada'), member(ben.publicKey, 'Ben')],
      },
    ],
  }
  const releaseId = lie.caseOf ?? release.target.custom.release
  return {
    files: lie.files ?? world.files,
    blobs: new Map([[release.target.hashes.sha256, lie.blob ?? release.bytes]]),
    api: {
      'GET /api/decide/cases/CASE-0001': { id: 'CASE-0001', state: 'open', releaseId, draft },
      [`GET /api/decide/drafts/${draftId}`]: draft,
      [`POST /api/decide/drafts/${draftId}/sign`]: draft,
      'GET /api/decide/member-keys': { items: [] },
      'POST /api/decide/drafts': draft,
    },
  }
}

interface Desk extends AsyncDisposable {
  show(lie: Lie): void
  run(...args: string[]): Promise<Outcome>
  sign(...args: string[]): Promise<Outcome>
  readonly received: readonly { readonly path: string; readonly body: unknown }[]
}

async function openDesk(): Promise<Desk> {
  const folder = await temporaryFolder()
  const server = await startLyingServer(claimsOf({}))
  mkdirSync(join(folder.path, 'keys'))
  writeFileSync(join(folder.path, 'keys', 'ada.json'), JSON.stringify(locked))
  const environment = { BASCULE_HOME: folder.path, BASCULE_SERVER: server.url, BASCULE_PASSPHRASE: passphrase }
  return {
    show: (lie) => (server.claims = claimsOf(lie)),
    run: async (...args) => await runBascule(args, environment),
    sign: async (...args) => await runBascule(['sign', 'CASE-0001', '--yes', '--json', ...args], environment),
    received: server.received,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}

/** The rule that the tool refuses by; and nothing has left the machine. */
async function ruleOf(desk: Desk, ...args: string[]): Promise<string> {
  const { exitCode, err, json } = await desk.sign(...args)
  expect(exitCode).toBe(4)
  expect(err).toContain('Do not sign.')
  expect(desk.received).toEqual([])
  return (json() as { error: { kind: string } }).error.kind
}

test('what was decided is shown in plain words and signed, and only the signature is sent', async () => {
  await using desk = await openDesk()
  const { exitCode, err, json } = await desk.sign()
  expect(exitCode).toBe(0)
  expect(err).toContain('GO: REL-0001 (till) may go out to the devices.')
  expect(err).toContain('Version 4.2.0, with till 4.2.0')
  expect(err).toContain('Phase 1 pilot: exactly the devices that were counted')
  expect(err).toContain(`TRUST ON FIRST USE`)
  expect(err).toContain(rootSha256)
  const [sent] = desk.received
  expect(desk.received).toHaveLength(1)
  expect(sent?.path).toBe(`/api/decide/drafts/${draftId}/sign`)
  const { signatures } = (sent?.body ?? {}) as { signatures: { keyid: string; sig: string; role: string }[] }
  expect(signatures).toMatchObject([{ keyid: ada.keyId, role }])
  expect(verifyHex(ada.publicKey, canonicalJson(draftOf(goFor(aRelease(1)))), signatures[0]?.sig ?? '')).toBe(true)
  expect(json()).toMatchObject({ documents: [{ role, signers: [ada.keyId] }] })

  const again = await desk.sign('--root-sha256', rootSha256)
  expect(again.err).toContain('has the fingerprint that you were given')
  expect((await desk.sign()).err).not.toMatch(/first use|fingerprint/i)
}, 60_000)

test('a draft that holds more, less or something else than its decision is not signed', async () => {
  await using desk = await openDesk()
  const honest = draftOf(goFor(aRelease(1)))
  const other = aRelease(2)
  desk.show({ signed: { ...honest, targets: { ...honest.targets, [other.path]: other.target } } })
  expect(await ruleOf(desk)).toBe('draft-is-the-decision-and-nothing-else')
  desk.show({ signed: { ...honest, targets: {} } })
  expect(await ruleOf(desk)).toBe('draft-is-the-decision-and-nothing-else')
  desk.show({ signed: { ...honest, version: 3 } })
  expect(await ruleOf(desk)).toBe('draft-is-the-next-version')
  desk.show({ signed: { ...honest, delegations: { keys: {}, roles: [] } } })
  expect(await ruleOf(desk)).toBe('draft-has-a-form')
  desk.show({ signed: { ...honest, expires: '2099-01-01T00:00:00Z' } })
  expect(await ruleOf(desk)).toBe('draft-lives-in-bounds')
  desk.show({ release: other, caseOf: 'REL-0001' })
  expect(await ruleOf(desk)).toBe('draft-is-of-the-case')
}, 60_000)

test('bytes that were replaced, and a manifest that says something else than the limits, are not signed', async () => {
  await using desk = await openDesk()
  const release = aRelease(1)
  desk.show({ blob: Buffer.concat([release.bytes.subarray(0, -1), Buffer.from(' ')]) })
  expect(await ruleOf(desk)).toBe('manifest-is-the-signed-one')
  desk.show({ release: aRelease(1, { counter: 7 }) })
  expect(await ruleOf(desk)).toBe('manifest-says-what-is-signed')
  desk.show({
    release: aRelease(1, {
      phases: [{ id: 'all', order: 1, audienceRoot: null, permille: 1000, notBefore: null, notAfter: null }],
    }),
  })
  expect(await ruleOf(desk)).toBe('manifest-says-what-is-signed')
}, 60_000)

test('another root than the one of the sheet, and than the one of yesterday, is refused', async () => {
  await using desk = await openDesk()
  expect(await ruleOf(desk, '--root-sha256', 'c'.repeat(64))).toBe('root-is-the-anchor')
  expect((await desk.sign('--root-sha256', rootSha256)).exitCode).toBe(0)
  // A whole repository of somebody else, correct in itself.
  const others = { snapshot: generateKeyPair(), timestamp: generateKeyPair() }
  desk.show({ files: founded([ada, generateKeyPair()], others).files })
  const other = await desk.sign()
  expect(other).toMatchObject({ exitCode: 4, err: expect.stringContaining('Do not sign.') as string })
  expect(desk.received).toHaveLength(1)
}, 60_000)

test('a server that goes back behind what this machine has verified is refused', async () => {
  await using desk = await openDesk()
  const first = aRelease(1)
  const newer = publishOnto(world, { [role]: signDocument(draftOf(goFor(first)), [ada, ben]) })
  const second = aRelease(2)
  const next = { release: second, signed: draftOf(goFor(second), newer.state.roles[role]?.signed as ReleasesSigned) }
  desk.show({ ...next, files: newer.files })
  expect((await desk.sign()).exitCode).toBe(0)
  // The files of yesterday, which fit together and were all signed once.
  desk.show({ ...next, files: world.files })
  const back = await desk.sign()
  expect(back).toMatchObject({ exitCode: 4, err: expect.stringMatching(/version \d+.*Do not sign\./) as string })
  expect(desk.received).toHaveLength(1)
}, 60_000)

test('a wrong passphrase signs nothing, and without agreement nobody is asked for it', async () => {
  await using desk = await openDesk()
  const folder = await temporaryFolder()
  const file = join(folder.path, 'passphrase')
  writeFileSync(file, 'four other ordinary words\n')
  const wrong = await desk.sign('--passphrase-file', file)
  expect(wrong).toMatchObject({ exitCode: 4, err: expect.stringContaining('not the passphrase') as string })
  expect(wrong.json()).toMatchObject({ error: { kind: 'wrong-passphrase' } })
  expect(desk.received).toEqual([])
  await folder[Symbol.asyncDispose]()
}, 60_000)

test('when custodians have missed their renewal, what expired is renewed and nothing else is signed', async () => {
  await using desk = await openDesk()
  const yearAgo = at.subtract({ hours: 24 * 370 })
  const { state, files } = founded([ada, ben], online, yearAgo)
  // The signer has gone on renewing its two files, so only what people sign has expired.
  const old = publishOnto({ state, files }, {}, online, at)
  desk.show({ files: old.files })
  expect(await ruleOf(desk)).toBe('files-are-fresh')
  const line = await desk.run('trust', 'add-line', 'web', '--yes', '--json')
  expect(line).toMatchObject({ exitCode: 4 })
  expect(line.json()).toMatchObject({ error: { kind: 'files-are-fresh' } })
  expect(desk.received).toEqual([])

  expect(await desk.run('trust', 'renew', '--yes')).toMatchObject({ exitCode: 0 })
  const { documents } = (desk.received[0]?.body ?? {}) as { documents: { role: string; signed: { version: number } }[] }
  const renewed = documents.map(({ role, signed }) => `${signed.version}.${role}`)
  expect(renewed.sort()).toEqual(['2.company', '2.company.stop', '2.company.till', '2.root', '2.targets'])

  const forged = new Map(old.files)
  forged.set('1.company.json', Buffer.from(JSON.stringify({ ...state.roles['company'], signatures: [] })))
  desk.show({ files: forged })
  const other = await desk.run('trust', 'renew', '--yes', '--json')
  expect(other).toMatchObject({ exitCode: 4, err: expect.stringContaining('company is signed by 0 of 2') as string })
}, 60_000)

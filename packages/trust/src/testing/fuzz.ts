import { canonicalJson } from '#/canonical.ts'
import { type Envelope, signDocument } from '#/envelope.ts'
import { type KeyPair, signHex } from '#/keys.ts'
import { type Checks, type Scenario, ask, askWith, honestScenario, refresh, textOf } from './scenario.ts'
import { anAssignment, anOrder, director, forgeInto, honestWorld, online, second } from './world.ts'

/** What a run did: `unauthorised` is true when a device would have installed something that was not signed. */
export interface FuzzOutcome {
  readonly subject: string
  readonly change: string
  readonly verdict: string
  readonly unauthorised: boolean
}

const world = honestWorld()
const rolesRead = ['targets', 'retail', 'retail.pos', 'retail.emergency', 'retail.stop']
const rolesByFile = new Map(rolesRead.map((role) => [role, world.state.roles[role]]))

/** Every document that a device reads on its way to an installation, by what it is. */
export const fuzzSubjects = {
  metadata: ['root', 'timestamp', 'snapshot', ...rolesRead],
  assignment: ['assignment'],
  manifest: ['manifest'],
} as const satisfies Record<string, readonly string[]>

const honestOrder = canonicalJson(anOrder(second).custom)

/** What stands between two questions of a device that has just verified honest files. */
const honestly = refresh(honestScenario(world))

/**
 * Changes one document at one random place and asks a fresh device. With stolen online keys, or for what online keys
 * sign, the change is signed again; what people sign keeps the signatures it had. Accepted is only what means exactly
 * what was signed.
 */
export async function fuzzOnce(
  subject: string,
  dice: readonly number[],
  isOnlineStolen: boolean,
  checks: Checks = {},
): Promise<FuzzOutcome> {
  const { scenario, change } = mutated(subject, dice, isOnlineStolen)
  const isFile = rolesByFile.has(subject) || isOnlineFile(subject)
  const answer = isFile ? await ask(scenario, checks) : await askLater(scenario, checks)
  if (!answer.ok) return { subject, change, verdict: 'refused', unauthorised: false }
  const { path, custom, action, manifest, authorisedBy, order, generation } = answer.authorised
  // A thief of the director's key may order anything inside what the board signed; nobody else may change an order.
  const isOrdered = isOnlineStolen || (generation === 5 && canonicalJson(order) === honestOrder)
  const isSigned =
    isOrdered &&
    path === second.path &&
    action === 'install' &&
    authorisedBy.signers.length >= 2 &&
    canonicalJson(custom) === canonicalJson(second.target.custom) &&
    canonicalJson(manifest) === Buffer.from(second.bytes).toString('utf8')
  return { subject, change, verdict: textOf(answer), unauthorised: !isSigned }
}

/** Where the files are honest, a device has verified them before; only its question is new. */
async function askLater(scenario: Scenario, checks: Checks) {
  const authority = await honestly
  if (!authority.ok) throw new Error(`Refreshing honestly: ${authority.error.fact}`)
  return askWith(authority.value, scenario, checks)
}

function isOnlineFile(subject: string): boolean {
  return subject === 'root' || subject === 'timestamp' || subject === 'snapshot'
}

function mutated(
  subject: string,
  dice: readonly number[],
  isOnlineStolen: boolean,
): { scenario: Scenario; change: string } {
  const scenario = honestScenario(world)
  if (subject === 'manifest') {
    const manifest = changeText(Buffer.from(second.bytes).toString('utf8'), dice)
    return { scenario: { ...scenario, manifestBytes: Buffer.from(manifest.text) }, change: manifest.change }
  }
  if (subject === 'assignment') {
    const honest = signDocument(anAssignment(anOrder(second)), [director])
    const { value, change } = changeValue(honest, dice)
    return { scenario: { ...scenario, assignment: isOnlineStolen ? resigned(value, director) : value }, change }
  }
  const { files, change } = mutatedFiles(subject, dice, isOnlineStolen)
  return { scenario: { ...scenario, sources: [files] }, change }
}

function mutatedFiles(subject: string, dice: readonly number[], isOnlineStolen: boolean) {
  const { root, timestamp, snapshot } = world.state
  const role = rolesByFile.get(subject)
  if (role) {
    const { value, change } = changeValue(role, dice)
    const files = isOnlineStolen ? listed(subject, value) : new Map(world.files)
    return { files: files.set(`${role.signed.version}.${subject}.json`, bytesOf(value)), change }
  }
  const document: Envelope<unknown> = subject === 'root' ? root : subject === 'snapshot' ? snapshot : timestamp
  const { value, change } = changeValue(document, dice)
  const key = subject === 'snapshot' ? online.snapshot[0] : online.timestamp[0]
  const isResigned = isOnlineStolen && subject !== 'root' && key !== undefined
  const bytes = bytesOf(isResigned ? resigned(value, key) : value)
  // A changed first root would be another anchor; a changed next root is what a server can send.
  const names = {
    root: '2.root.json',
    snapshot: `${snapshot.signed.version}.snapshot.json`,
    timestamp: 'timestamp.json',
  }
  return { files: new Map(world.files).set(names[subject as keyof typeof names], bytes), change }
}

/** The snapshot of a thief fits the changed file, so that only the quorum stands in the way. */
function listed(role: string, value: unknown): Map<string, Uint8Array> {
  const length = bytesOf(value).length
  return forgeInto(
    world,
    {},
    {
      snapshot: (signed) => {
        const entry = signed.meta[`${role}.json`]
        return { ...signed, meta: { ...signed.meta, [`${role}.json`]: { ...entry, length } } }
      },
    },
  )
}

function resigned(value: unknown, key: KeyPair): unknown {
  const { signed } = (value ?? {}) as { signed?: unknown }
  try {
    return { signed, signatures: [{ keyid: key.keyId, sig: signHex(key, canonicalJson(signed)) }] }
  } catch {
    // What has no canonical text cannot be signed by a thief either.
    return value
  }
}

function bytesOf(value: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value) ?? 'null')
}

type Place = { readonly holder: Record<string, unknown>; readonly key: string }

function changeValue(document: unknown, dice: readonly number[]): { value: unknown; change: string } {
  const value: unknown = structuredClone(document)
  const places = placesIn(value)
  const place = places[(dice[0] ?? 0) % places.length]
  if (!place) return { value, change: 'nothing' }
  const { holder, key } = place
  const before = holder[key]
  const others = [...replacements(before, dice[2] ?? 0), places[(dice[3] ?? 0) % places.length]?.holder]
  const choice = (dice[1] ?? 0) % (others.length + 2)
  if (choice === others.length) delete holder[key]
  else if (choice === others.length + 1) holder[`x${key}`] = before
  else holder[key] = structuredClone(others[choice])
  return { value, change: `${key} of ${JSON.stringify(before)?.slice(0, 60)} by way ${choice}` }
}

/** Neighbours of a value, and what breaks readers. */
function replacements(value: unknown, die: number): unknown[] {
  const common = [null, 0, -1, 2 ** 31, 0.5, '', 'constructor', [], {}, true, '2099-01-01T00:00:00Z', 'a'.repeat(64)]
  if (typeof value === 'number') return [...common, value + 1, value - 1, die]
  if (typeof value !== 'string' || value === '') return common
  const at = die % value.length
  const swapped = value.slice(0, at) + (value[at] === '1' ? '2' : '1') + value.slice(at + 1)
  return [...common, swapped, value.slice(0, at), value.toUpperCase(), `${value} `, `../${value}`]
}

function placesIn(value: unknown): Place[] {
  if (typeof value !== 'object' || value === null) return []
  const holder = value as Record<string, unknown>
  return Object.keys(holder).flatMap((key) => [{ holder, key }, ...placesIn(holder[key])])
}

function changeText(text: string, dice: readonly number[]): { text: string; change: string } {
  const at = (dice[0] ?? 0) % text.length
  const sign = String.fromCharCode(32 + ((dice[1] ?? 0) % 95))
  const cut = (dice[2] ?? 0) % 3
  return {
    text: text.slice(0, at) + (cut === 0 ? '' : sign) + text.slice(at + (cut === 2 ? 0 : 1)),
    change: `${at} to ${sign}`,
  }
}

import { assert } from '@bascule/domain/lib/result.ts'
import { signDocument, type Envelope } from '@bascule/trust/envelope.ts'
import { keyPairFromSeed, type KeyPair } from '@bascule/trust/keys.ts'
import {
  custodians,
  emergencyMembers,
  members,
  nextVersion,
  online,
  publicOf,
  publishInto,
  twoOf,
  withTarget,
  type World,
} from '@bascule/trust/testing/world.ts'
import { buildBoard, buildReleases, buildRoot, buildStops, buildTargets } from '@bascule/trust/tuf/build.ts'
import type { ReleaseCustom, ReleasesSigned, RoleSigned } from '@bascule/trust/tuf/documents.ts'
import { targetPathText } from '@bascule/trust/tuf/names.ts'
import { emptyRepository } from '@bascule/trust/tuf/repository-state.ts'
import { line, type TestRelease } from './test-release.ts'

/** A release board with one product line, signed by the people of the trust library's tests. */
export const boardName = 'company'
export const lineRole = `${boardName}.${line}`
export const stopRole = `${boardName}.stop`
const emergencyRole = `${boardName}.emergency`
export const director: KeyPair = keyPairFromSeed(Buffer.alloc(32, 7))

export function instantNow(): Temporal.Instant {
  return Temporal.Now.instant().round({ smallestUnit: 'second', roundingMode: 'floor' })
}

/** Custodians, board, line, emergency and stop roles, and no release yet. */
export function foundBoard(at: Temporal.Instant = instantNow()): World {
  const issue = { version: 1, at }
  const three = { publicKeys: publicOf(members), threshold: 2 }
  return publishInto(
    { state: emptyRepository, files: new Map(), at },
    {
      root: signDocument(buildRoot(issue, rootQuorums()), twoOf(custodians)),
      targets: signDocument(buildTargets(issue, targetsQuorums(director)), twoOf(custodians)),
      [boardName]: signDocument(
        buildBoard(issue, {
          [lineRole]: three,
          [emergencyRole]: { publicKeys: publicOf(emergencyMembers), threshold: 2 },
          [stopRole]: { publicKeys: publicOf(members), threshold: 1 },
        }),
        members,
      ),
      [lineRole]: signDocument(buildReleases('line', issue, {}), twoOf(members)),
      [emergencyRole]: signDocument(buildReleases('emergency', issue, {}), twoOf(emergencyMembers)),
      [stopRole]: signDocument(buildStops(issue, {}), twoOf(members)),
    },
  )
}

function targetsQuorums(key: KeyPair) {
  return {
    director: { publicKeys: [key.publicKey], threshold: 1 },
    boards: { [boardName]: { publicKeys: publicOf(members), threshold: 3 } },
  }
}

export function rootQuorums() {
  return {
    root: { publicKeys: publicOf(custodians), threshold: 2 },
    targets: { publicKeys: publicOf(custodians), threshold: 2 },
    snapshot: { publicKeys: publicOf(online.snapshot), threshold: 1 },
    timestamp: { publicKeys: publicOf(online.timestamp), threshold: 1 },
  }
}

export function pathOf({ manifest }: TestRelease): string {
  return targetPathText({ board: boardName, line, kind: 'normal', release: manifest.release })
}

/** What the board signs about a release: the limits of its manifest, and what a test wants otherwise. */
export function targetOf(release: TestRelease, over: Partial<ReleaseCustom> = {}) {
  const { manifest, manifestBytes, manifestSha256 } = release
  const custom: ReleaseCustom = {
    kind: 'release',
    productLine: line,
    release: manifest.release,
    counter: manifest.counter,
    phases: manifest.phases,
    deadline: manifest.deadline,
    backoutFrom: manifest.backoutFrom,
    autoBackout: manifest.autoBackout,
    mayRemove: true,
    decisionSha256: null,
    ...over,
  }
  return { length: manifestBytes.length, hashes: { sha256: manifestSha256 }, custom }
}

/** The next version of the line, with a release more, signed by as many as are given. */
export function goDocument(
  world: World,
  release: TestRelease,
  { over = {}, signers = twoOf(members) }: { over?: Partial<ReleaseCustom>; signers?: readonly KeyPair[] } = {},
): Envelope<RoleSigned> {
  const add = (signed: RoleSigned) => withTarget(signed, pathOf(release), targetOf(release, over))
  return nextVersion<RoleSigned>(nowIn(world), lineRole, add, signers)
}

/** Publishes a go, if the line does not list the release yet. */
export function publishGo(world: World, release: TestRelease, over: Partial<ReleaseCustom> = {}): World {
  if (Object.hasOwn(releasesIn(world), pathOf(release))) return world
  return publishInto(nowIn(world), { [lineRole]: goDocument(world, release, { over }) })
}

/** Lets every other live release be what devices go back to from this one. */
export function publishReturns(world: World, from: TestRelease): World {
  const change = (signed: RoleSigned) => {
    const targets = Object.entries((signed as ReleasesSigned).targets).map(([path, target]) => {
      const backoutFrom = [...new Set([...target.custom.backoutFrom, from.manifest.release])]
      return [path, path === pathOf(from) ? target : { ...target, custom: { ...target.custom, backoutFrom } }]
    })
    return { ...signed, targets: Object.fromEntries(targets) as ReleasesSigned['targets'] }
  }
  const document = nextVersion<RoleSigned>(nowIn(world), lineRole, change, twoOf(members))
  return publishInto(nowIn(world), { [lineRole]: document })
}

/** One member stops a release for all devices. */
export function publishStop(world: World, release: TestRelease, reason: string): World {
  const path = targetPathText({ board: boardName, line, kind: 'stop', release: release.manifest.release })
  const { length, hashes } = targetOf(release)
  const custom = { kind: 'stop', productLine: line, release: release.manifest.release, reason }
  const add = (signed: RoleSigned) => withTarget(signed, path, { length, hashes, custom })
  const document = nextVersion<RoleSigned>(nowIn(world), stopRole, add, members.slice(0, 1))
  return publishInto(nowIn(world), { [stopRole]: document })
}

/** The custodians name another director. */
export function publishDirector(world: World, key: KeyPair): World {
  const version = (world.state.roles['targets']?.signed.version ?? 0) + 1
  const document = buildTargets({ version, at: instantNow() }, targetsQuorums(key))
  return publishInto(nowIn(world), { targets: signDocument(document, twoOf(custodians)) })
}

/** The board takes a release from its list. */
export function publishWithdrawal(world: World, release: TestRelease): World {
  const drop = (signed: RoleSigned): object => {
    const kept = Object.entries((signed as ReleasesSigned).targets).filter(([path]) => path !== pathOf(release))
    return { ...signed, targets: Object.fromEntries(kept) }
  }
  const document = nextVersion<RoleSigned>(nowIn(world), lineRole, drop, twoOf(members))
  return publishInto(nowIn(world), { [lineRole]: document })
}

export function timestampVersionOf(world: World): number {
  return world.state.timestamp.signed.version
}

export function nowIn(world: World): World {
  return { ...world, at: instantNow() }
}

function releasesIn(world: World): ReleasesSigned['targets'] {
  const document = world.state.roles[lineRole]
  assert(document, 'the line is in the world')
  return (document.signed as ReleasesSigned).targets
}

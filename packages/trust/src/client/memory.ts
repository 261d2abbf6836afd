/**
 * What a device has seen, kept apart from the metadata cache: a cache that is lost, or restored from an image, must
 * not make the device forget. A plain value; the agent stores it in its journal after every step that returns one.
 */
export interface SeenMemory {
  readonly rootVersion: number
  /** Versions of `targets`, boards, lines, emergency and stop roles. They never fall, whoever holds the online keys. */
  readonly roles: Readonly<Record<string, number>>
  readonly snapshotVersion: number
  readonly timestampVersion: number
  /** Key ids of snapshot and timestamp. When the custodians change them, those two versions begin anew. */
  readonly onlineKeys: string
  readonly assignmentVersion: number
  /** Highest counter ever installed, by `board/line`, with the release that had it. */
  readonly installed: Readonly<Record<string, { readonly counter: number; readonly release: string }>>
  /** The time never goes back behind this: the newest thing the device has verified or lived through. */
  readonly notBefore: string
}

/** A device that has seen nothing since it was built. */
export function freshMemory(builtAt: Temporal.Instant): SeenMemory {
  return {
    rootVersion: 1,
    roles: {},
    snapshotVersion: 0,
    timestampVersion: 0,
    onlineKeys: '',
    assignmentVersion: 0,
    installed: {},
    notBefore: builtAt.toString(),
  }
}

/** The clock of the device, never earlier than what it knows to be past. */
export function timeFloor(memory: SeenMemory, clock: Temporal.Instant): Temporal.Instant {
  const least = Temporal.Instant.from(memory.notBefore)
  return Temporal.Instant.compare(clock, least) < 0 ? least : clock
}

/** After an installation has been committed. */
export function rememberInstalled(
  memory: SeenMemory,
  line: string,
  installed: { readonly counter: number; readonly release: string },
): SeenMemory {
  const had = Object.hasOwn(memory.installed, line) ? memory.installed[line] : undefined
  if (had && had.counter >= installed.counter) return memory
  return { ...memory, installed: { ...memory.installed, [line]: installed } }
}

/** A named fact about something at a time: what gates, phase preconditions and governance rules ask for. */
export interface NamedFact {
  readonly name: string
  /** What it is; null when nobody can tell yet. */
  readonly value: string | number | boolean | null
  /** The same in a sentence for people: "Backups of the last night succeeded." */
  readonly sentence: string
  readonly asOf: Temporal.Instant
}

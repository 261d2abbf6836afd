/** What the shell sees. Stable: scripts and pipelines compare these. */
export const exitCodes = {
  ok: 0,
  /** Something unexpected; the message says what. */
  failed: 1,
  usage: 2,
  gateClosed: 3,
  refused: 4,
  /** The other side did not answer in time. */
  timeout: 5,
} as const

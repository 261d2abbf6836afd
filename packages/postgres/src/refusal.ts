/** Why a start is refused on purpose: the sentence is for the operator and needs no stack beside it. */
export type StartRefusalCode =
  | 'data-folder-in-use'
  | 'data-folder-unusable'
  | 'database-in-use'
  | 'platform-without-postgres'
  | 'no-account-for-postgres'
  | 'postgres-too-old'
  | 'migration-changed'
  | 'migration-missing'
  | 'program-too-old'
  | 'folder-not-empty'
  | 'backup-damaged'

export interface StartRefusal extends Error {
  readonly code: StartRefusalCode
}

/** The start cannot go on and the sentence says what a person can do about it. */
export function startRefusal(code: StartRefusalCode, sentence: string, cause?: unknown): StartRefusal {
  const error = new Error(sentence, cause === undefined ? {} : { cause })
  error.name = 'StartRefusal'
  return Object.assign(error, { code })
}

export function isStartRefusal(error: unknown): error is StartRefusal {
  return error instanceof Error && error.name === 'StartRefusal'
}

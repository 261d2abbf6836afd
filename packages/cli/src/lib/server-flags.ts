/** The flags of every command that speaks to a server. */
export interface ServerFlags {
  readonly server?: string
  readonly apiKey?: string
  readonly apiKeyFile?: string
  readonly json: boolean
}

export const jsonFlag = {
  kind: 'boolean',
  default: false,
  brief: 'Print the result as JSON, one document per line',
} as const

export const serverFlags = {
  server: { kind: 'parsed', parse: parseServer, optional: true, brief: 'Address of the server, or BASCULE_SERVER' },
  apiKey: { kind: 'parsed', parse: String, optional: true, brief: 'API key; better in a file or in BASCULE_API_KEY' },
  apiKeyFile: {
    kind: 'parsed',
    parse: String,
    optional: true,
    brief: 'File with the API key, or BASCULE_API_KEY_FILE',
  },
  json: jsonFlag,
} as const

export const releaseParameter = {
  kind: 'tuple',
  parameters: [{ brief: 'Release, for example REL-0001', placeholder: 'release', parse: parseRelease }],
} as const

export function parseServer(text: string): string {
  const { protocol } = new URL(text)
  if (protocol !== 'http:' && protocol !== 'https:') throw new Error('is not an http or https address')
  return text.replace(/\/+$/, '')
}

export function parseRelease(text: string): string {
  if (!/^REL-\d{4,9}$/.test(text)) throw new Error('is not a release id, for example REL-0001')
  return text
}

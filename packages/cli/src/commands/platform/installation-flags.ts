export interface InstallationFlags {
  readonly data?: string
  readonly port?: number
}

export const dataFlag = {
  kind: 'parsed',
  parse: String,
  optional: true,
  brief: 'Data folder, or BASCULE_DATA',
} as const

export const portFlag = {
  kind: 'parsed',
  parse: parsePort,
  optional: true,
  brief: 'Port, or BASCULE_PORT',
} as const

function parsePort(text: string): number {
  const port = Number(text)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error('is not a port')
  return port
}

/** The same flags in the words of the server's programs. */
export function serverArguments({ data, port }: InstallationFlags): readonly string[] {
  return [...(data === undefined ? [] : ['--data', data]), ...(port === undefined ? [] : ['--port', String(port)])]
}

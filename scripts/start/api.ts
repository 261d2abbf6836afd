/** The public HTTP API, spoken as any program of a customer would: plain requests, JSON or CSV, an API key or a session. */
export interface Api {
  readonly url: string
  get<Answer>(path: string): Promise<Answer>
  post<Answer>(path: string, body: object): Promise<Answer>
  /** Uploads a CSV file to an import route; importing the same file again changes nothing. */
  importCsv(path: string, lines: readonly string[]): Promise<void>
  /** Sends bytes of any type and returns the answer as it came. */
  send(method: string, path: string, type?: string, body?: string | Uint8Array<ArrayBuffer>): Promise<Response>
  /** The same API with these headers on every request. */
  as(headers: Readonly<Record<string, string>>): Api
}

/** A request that was answered with no. The server's own words are in the message. */
export class AnsweredNo extends Error {
  readonly status: number
  readonly rule: string | undefined

  constructor(what: string, status: number, text: string) {
    super(`${what}: ${status} ${text}`)
    this.status = status
    this.rule = ruleIn(text)
  }
}

function ruleIn(text: string): string | undefined {
  try {
    return (JSON.parse(text) as { data?: { rule?: string } }).data?.rule
  } catch {
    return undefined // Not a refusal of ours: a proxy's page, or nothing at all.
  }
}

export function connectApi(url: string, headers: Readonly<Record<string, string>> = {}): Api {
  const send: Api['send'] = async (method, path, type, body) => {
    const contentType = type === undefined ? {} : { 'content-type': type }
    const init: RequestInit = { method, headers: { origin: url, ...headers, ...contentType } }
    const answer = await fetch(`${url}/api${path}`, body === undefined ? init : { ...init, body })
    if (!answer.ok) throw new AnsweredNo(`${method} ${path}`, answer.status, await answer.text())
    return answer
  }
  const json = async <Answer>(answer: Response) => (await answer.json()) as Answer
  return {
    url,
    send,
    get: async (path) => json(await send('GET', path)),
    post: async (path, body) => json(await send('POST', path, 'application/json', JSON.stringify(body))),
    importCsv: async (path, lines) => {
      await send('POST', path, 'text/csv', `${lines.join('\n')}\n`)
    },
    as: (more) => connectApi(url, { ...headers, ...more }),
  }
}

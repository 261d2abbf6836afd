import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { ok, refuse } from '@bascule/domain/lib/result.ts'
import type { Result } from '@bascule/domain/lib/result.ts'
import * as z from 'zod'

interface Setting {
  readonly env: string
  readonly schema: z.ZodType
  readonly means: string
  readonly flag?: string
  /** A secret may also come from the file that `<env>_FILE` names, and is never printed. */
  readonly secret?: true
}

const port = z.coerce.number().int().min(0).max(65_535)
const webAddress = z.url({ protocol: /^https?$/, error: 'is not an http(s) address' })

const settings = {
  dataFolder: {
    env: 'BASCULE_DATA',
    flag: 'data',
    schema: z.string().min(1).default('data'),
    means: 'Folder of everything that must survive: database, blobs, keys.',
  },
  host: { env: 'BASCULE_HOST', schema: z.string().min(1).default('127.0.0.1'), means: 'Address to listen on.' },
  port: {
    env: 'BASCULE_PORT',
    flag: 'port',
    schema: port.default(8080),
    means: 'Port to listen on; 0 takes a free one.',
  },
  publicUrl: {
    env: 'BASCULE_PUBLIC_URL',
    schema: webAddress.optional(),
    means: 'Address under which browsers and devices reach this server, when a proxy stands before it.',
  },
  signUrl: {
    env: 'BASCULE_SIGN_URL',
    schema: webAddress.optional(),
    means:
      'Address of the page on which members unlock their key with a passkey. Without it `sign.` before the name of the public address.',
  },
  trustedProxies: {
    env: 'BASCULE_TRUSTED_PROXIES',
    schema: z.string().optional(),
    means: 'Addresses or networks of proxies whose X-Forwarded-For is believed, with commas.',
  },
  tlsCert: {
    env: 'BASCULE_TLS_CERT',
    schema: z.string().min(1).optional(),
    means: 'File with the certificate chain (PEM). With it the server speaks TLS itself.',
  },
  tlsKey: {
    env: 'BASCULE_TLS_KEY',
    schema: z.string().min(1).optional(),
    means: 'File with the private key of the certificate (PEM).',
  },
  databaseUrl: {
    env: 'BASCULE_DATABASE_URL',
    schema: z.url({ protocol: /^postgres(ql)?$/, error: 'is not a postgresql:// address' }).optional(),
    secret: true,
    means: 'An external PostgreSQL, version 15 or newer. Without it the server runs one of its own.',
  },
  secret: {
    env: 'BASCULE_SECRET',
    schema: z.string().min(32, 'needs 32 characters or more').optional(),
    secret: true,
    means: 'Signs session cookies; keep it when the server moves. Without it one is made in the data folder.',
  },
  signerSocket: {
    env: 'BASCULE_SIGNER_SOCKET',
    schema: z.string().min(1).optional(),
    means: 'Socket of the signer. Without it the one in the data folder.',
  },
  webFolder: {
    env: 'BASCULE_WEB',
    schema: z.string().min(1).optional(),
    means: 'Folder of the built web pages. Without it the one beside the server.',
  },
  checkInSeconds: {
    env: 'BASCULE_CHECK_IN_SECONDS',
    schema: z.coerce.number().int().min(1).max(86_400).default(900),
    means: 'How often a device with nothing to do asks, in seconds.',
  },
  busyCheckInSeconds: {
    env: 'BASCULE_BUSY_CHECK_IN_SECONDS',
    schema: z.coerce.number().int().min(1).max(3600).default(15),
    means: 'How often a device with work asks, in seconds.',
  },
  blobSources: {
    env: 'BASCULE_BLOB_SOURCES',
    schema: z
      .string()
      .default('')
      .transform((text) =>
        text
          .split(',')
          .map((one) => one.trim())
          .filter((one) => one !== ''),
      ),
    means: 'Addresses of relays or caches that devices try before this server, with commas.',
  },
  environment: {
    env: 'BASCULE_ENVIRONMENT',
    schema: z.string().min(1).max(40).default('production'),
    means: 'Name of this installation, shown in the page header: production, test, demo.',
  },
  metricsPort: {
    env: 'BASCULE_METRICS_PORT',
    schema: port.optional(),
    means: 'Port for Prometheus metrics at /metrics. Without it there are none.',
  },
  logLevel: {
    env: 'BASCULE_LOG_LEVEL',
    schema: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
    means: 'How much is logged, as JSON lines on standard error.',
  },
} as const satisfies Record<string, Setting>

type Settings = typeof settings

/** Everything that is configured, checked and complete. Only this file reads the environment. */
export type Config = { readonly [Name in keyof Settings]: z.output<Settings[Name]['schema']> } & {
  /** Whether to print one JSON line on standard output when the server answers. */
  readonly readyJson: boolean
}

export type Environment = Readonly<Record<string, string | undefined>>

/** The configuration, or every problem of it at once, each a sentence that names the setting. */
export function readConfig(args: readonly string[], env: Environment): Result<Config, readonly string[]> {
  const problems: string[] = []
  const flags = readFlags(args, problems)
  const values: Record<string, unknown> = { readyJson: flags['ready-json'] === true }
  for (const [name, setting] of Object.entries<Setting>(settings)) {
    const raw = rawValue(setting, flags, env, problems)
    const parsed = setting.schema.safeParse(raw)
    if (parsed.success) values[name] = parsed.data
    else problems.push(`${setting.env} ${parsed.error.issues[0]?.message ?? 'is wrong'}`)
  }
  if ((values['tlsCert'] === undefined) !== (values['tlsKey'] === undefined)) {
    problems.push('BASCULE_TLS_CERT and BASCULE_TLS_KEY are needed together')
  }
  if (isSameName(values['signUrl'], values['publicUrl'])) {
    problems.push('BASCULE_SIGN_URL needs another name than BASCULE_PUBLIC_URL; another port is not enough')
  }
  return problems.length === 0 ? ok(values as unknown as Config) : refuse(problems)
}

/** Ports share passkeys, so only a name of its own keeps the application away from the keys of members. */
function isSameName(one: unknown, other: unknown): boolean {
  return typeof one === 'string' && typeof other === 'string' && new URL(one).hostname === new URL(other).hostname
}

/** Variables that look like ours and are none: mostly a slip of the pen, so the start mentions them. */
export function unknownSettings(env: Environment): string[] {
  return Object.keys(env).filter((name) => name.startsWith('BASCULE_') && !knownNames.has(name))
}

const knownNames = new Set(
  Object.values<Setting>(settings).flatMap(({ env, secret }) => (secret ? [env, `${env}_FILE`] : [env])),
)

function readFlags(args: readonly string[], problems: string[]): Readonly<Record<string, unknown>> {
  const named = Object.values<Setting>(settings).flatMap(({ flag }) =>
    flag ? [[flag, { type: 'string' }] as const] : [],
  )
  try {
    const options = { ...Object.fromEntries(named), 'ready-json': { type: 'boolean' } as const }
    return parseArgs({ args: [...args], options, strict: true }).values
  } catch (cause) {
    problems.push(cause instanceof Error ? cause.message : String(cause))
    return {}
  }
}

function rawValue(
  setting: Setting,
  flags: Readonly<Record<string, unknown>>,
  env: Environment,
  problems: string[],
): unknown {
  const flag = setting.flag === undefined ? undefined : flags[setting.flag]
  if (flag !== undefined) return flag
  const file = setting.secret ? env[`${setting.env}_FILE`] : undefined
  if (file === undefined || file === '') return env[setting.env] === '' ? undefined : env[setting.env]
  if (env[setting.env]) problems.push(`${setting.env} and ${setting.env}_FILE are both set; keep one`)
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (cause) {
    problems.push(`${setting.env}_FILE cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`)
    return undefined
  }
}

/** The page `docs/operate/configuration.md`, so that it can never differ from what the server reads. */
export function configurationPage(): string {
  const lines = Object.values<Setting>(settings).map((setting) => {
    const names = setting.secret ? `\`${setting.env}\` or \`${setting.env}_FILE\`` : `\`${setting.env}\``
    const notes = [setting.flag && `\`--${setting.flag}\``, defaultOf(setting)].filter(Boolean).join(', ')
    return `- ${names}${notes && ` (${notes})`}: ${setting.means}`
  })
  return [
    '# Configuration',
    '',
    'The server reads these environment variables at its start and nothing else. It reports every problem at once and',
    'does not start with one. A secret can also be given as a file, whose path goes into the variable with `_FILE`.',
    'A flag on the command line wins over the environment.',
    '',
    ...lines,
    '',
  ].join('\n')
}

function defaultOf({ schema }: Setting): string {
  const { data } = schema.safeParse(undefined)
  return typeof data === 'string' || typeof data === 'number' ? `default \`${data}\`` : ''
}

import { parseArgs } from 'node:util'
import { type Result, ok, refuse } from '@bascule/domain/lib/result.ts'
import * as z from 'zod'
import { type FaultRates, noFaults, usualFaults } from './habit/faults.ts'
import { onlineKinds } from './habit/habit.ts'

export const usage = `Usage: node packages/simulator/src/main.ts --server <url> --token <token> --devices <n> [options]

  --server <url>        server, plain HTTP
  --token <token>       enrolment token
  --devices <n>         how many devices (default 100)
  --seed <n>            same seed, same devices, same habits and faults (default 1)
  --interval <s>        seconds between check-ins instead of what the server asks; 0: again at once
  --speed <x>           simulated time runs so many times as fast as real time (default 1)
  --online <kind>       always, office or mixed (default always)
  --faults <list>       usual, none, or rates in thousandths: health=20,disk=50,silent=5,crash=10,repeat=5,lost-ack=5
  --flaps <n>           each job changes between two waits so many times and reports each change (a load)
  --package-mb <n>      size of a package that is not really downloaded (default 50)
  --bytes               really download every package
  --connections <n>     connections to the server, and requests at a time (default 64)
  --spread <s>          the first check-ins are spread over so many seconds (default: the interval, or 30)
  --enrolled <hex>      the devices are in the server's database already; public key of its director
  --for <s>             end after so many real seconds
  --check-ins <n>       end after so many check-ins
  --jobs <n>            end when so many jobs have ended and the server knows it
  --acks                print a JSON line for every acknowledged report number
  --print-devices       print the devices as JSON lines (key, facts) instead of running them
`

const count = z.coerce.number().int()
const Options = z.object({
  server: z.url({ protocol: /^http$/, error: 'is not an http address' }),
  token: z.string().default(''),
  devices: count.min(1).max(1_000_000).default(100),
  seed: count
    .min(0)
    .max(2 ** 32 - 1)
    .default(1),
  interval: z.coerce.number().min(0).max(86_400).optional(),
  speed: z.coerce.number().min(0.01).max(100_000).default(1),
  online: z.enum(onlineKinds).default('always'),
  faults: z.string().default('usual'),
  flaps: count.min(0).max(1_000_000).default(0),
  'package-mb': z.coerce.number().min(0).default(50),
  bytes: z.boolean().default(false),
  connections: count.min(1).max(10_000).default(64),
  spread: z.coerce.number().min(0).optional(),
  enrolled: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'is not a public key')
    .optional(),
  for: z.coerce.number().min(0).optional(),
  'check-ins': count.min(1).optional(),
  jobs: count.min(1).optional(),
  acks: z.boolean().default(false),
  'print-devices': z.boolean().default(false),
})
export type Options = Omit<z.infer<typeof Options>, 'faults'> & { readonly faults: FaultRates }

const flags = ['bytes', 'acks', 'print-devices']

/** The options, or what is wrong with them in a sentence. */
export function readOptions(args: readonly string[]): Result<Options, string> {
  const declared = Object.keys(Options.shape).map((name) => [
    name,
    { type: flags.includes(name) ? ('boolean' as const) : ('string' as const) },
  ])
  try {
    const { values } = parseArgs({ args: [...args], options: Object.fromEntries(declared), strict: true })
    const parsed = Options.safeParse('print-devices' in values ? { server: 'http://none', ...values } : values)
    if (!parsed.success) return refuse(problemOf(parsed.error))
    const faults = faultsFrom(parsed.data.faults)
    return faults.ok ? ok({ ...parsed.data, faults: { ...faults.value, flaps: parsed.data.flaps } }) : faults
  } catch (cause) {
    return refuse(cause instanceof Error ? cause.message : String(cause))
  }
}

function problemOf(error: z.ZodError): string {
  const issue = error.issues[0]
  return `--${issue?.path.join('.')} ${issue?.message}`
}

const words: Readonly<Record<string, keyof FaultRates>> = {
  health: 'health',
  disk: 'disk',
  silent: 'silent',
  crash: 'crash',
  repeat: 'repeat',
  'lost-ack': 'lostAck',
}

function faultsFrom(text: string): Result<FaultRates, string> {
  if (text === 'usual') return ok(usualFaults)
  if (text === 'none') return ok(noFaults)
  const rates = { ...noFaults }
  for (const part of text.split(',')) {
    const [, word = '', permille = ''] = /^([a-z-]+)=([0-9]{1,4})$/.exec(part) ?? []
    const name = words[word]
    if (name === undefined || Number(permille) > 1000) return refuse(`--faults does not understand "${part}"`)
    rates[name] = Number(permille)
  }
  return ok(rates)
}

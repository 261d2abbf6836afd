import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { Facts } from '@bascule/contract/device/protocol.ts'
import { canonicalJson, isPrototypeName } from '@bascule/trust/canonical.ts'
import { sha256Hex } from '@bascule/trust/keys.ts'
import { agentVersion } from '#/agent-version.ts'
import { plainText } from '#/engine/plain-text.ts'
import type { AgentState } from '#/journal/state.ts'
import type { Platform } from '#/platform/platform.ts'
import { runCommand } from '#/verify/run-command.ts'

export interface InventoryInput {
  readonly platform: Platform
  readonly data: string
  readonly root: string
  readonly instance: string
  readonly state: AgentState
  readonly blind: string | null
  /** For trials: facts in this file are added or take the place of what was found. */
  readonly factsFile: string | null
}

/** Everything this device tells: what the platform finds, what we installed, plug-ins, and the trial file last. */
export async function takeInventory(input: InventoryInput): Promise<Facts> {
  const facts = {
    ...input.platform.facts({ data: input.data, root: input.root }),
    'agent.version': agentVersion,
    'agent.journal': journalHealth(input),
    ...anchorFacts(input.state),
    ...installedFacts(input.state),
    ...(await pluginFacts(path.join(input.data, 'facts.d'), input)),
    ...fileFacts(input.factsFile),
  }
  return Facts.parse(tellable(facts))
}

const factsMax = 2000

/** What a plug-in writes must not keep the device from checking in: a fact that nobody would take is left out. */
export function tellable(facts: Facts): Facts {
  const kept = Object.entries(facts).filter(
    ([name, value]) => !isPrototypeName(name) && (typeof value !== 'number' || Number.isFinite(value)),
  )
  const clean = kept.map(([name, value]) => [name, typeof value === 'string' ? plainText(value, 512) : value] as const)
  return Object.fromEntries(clean.slice(0, factsMax))
}

/** Equal for equal facts; numbers that are not whole are written as text, because canonical JSON has none. */
export function hashFacts(facts: Facts): string {
  const whole = Object.entries(facts).map(([name, value]) => [
    name,
    typeof value === 'number' && !Number.isSafeInteger(value) ? String(value) : value,
  ])
  return sha256Hex(canonicalJson(Object.fromEntries(whole)))
}

/** `package.<name>` is the version that runs under `current`. */
export function installedFacts(state: AgentState): Facts {
  const facts: Facts = {}
  for (const { activation, packages } of Object.values(state.installed)) {
    for (const { name, version } of packages) {
      facts[activation === 'current' ? `package.${name}` : `package.${name}.${activation}`] = version
    }
  }
  return facts
}

/** How this device came to trust its release boards. */
function anchorFacts({ identity }: AgentState): Facts {
  const root = identity?.root
  return { 'trust.anchor': root?.kind ?? 'none', ...(root ? { 'trust.root.sha256': root.sha256 } : {}) }
}

function journalHealth({ state, blind }: InventoryInput): string {
  if (blind !== null) return 'cannot be written'
  return state.rebuilt === null ? 'good' : `rebuilt at ${state.rebuilt.at}`
}

function fileFacts(file: string | null): Facts {
  if (file === null) return {}
  try {
    return Facts.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (cause) {
    throw new Error(`Reading the facts of ${file}: ${String(cause)}`, { cause })
  }
}

/** Executables in `facts.d` print `key=value` lines; one that fails or hangs costs its own facts and nothing else. */
async function pluginFacts(folder: string, { platform, instance }: InventoryInput): Promise<Facts> {
  if (!existsSync(folder)) return {}
  const facts: Facts = {}
  for (const name of readdirSync(folder).toSorted()) {
    const file = path.join(folder, name)
    const stat = statSync(file, { throwIfNoEntry: false })
    if (stat?.isFile() !== true || (stat.mode & 0o111) === 0) continue
    const outcome = await runCommand({
      file,
      args: [],
      cwd: folder,
      timeoutMs: 10_000,
      name: `${instance}-facts`,
      platform,
      env: {},
    })
    if (outcome.exitCode !== 0) process.stderr.write(`facts.d/${name}: ${outcome.summary}\n`)
    else Object.assign(facts, factsFrom(outcome.output))
  }
  return facts
}

function factsFrom(output: string): Facts {
  const pairs = output.split('\n').flatMap((line) => {
    const match = /^([a-z0-9][a-z0-9._+-]{0,127})=(.{0,512})$/.exec(line.trim())
    return match ? [[match[1] ?? '', match[2] ?? ''] as const] : []
  })
  return Object.fromEntries(pairs)
}

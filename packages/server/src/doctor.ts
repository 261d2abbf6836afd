import { readConfig } from '#/platform/config.ts'
import { examine } from '#/platform/doctor/examine.ts'
import { fail } from '#/platform/doctor/finding.ts'
import type { Finding } from '#/platform/doctor/finding.ts'

/**
 * `node doctor.ts [--json] [--data <folder>] [--port <port>]` looks at everything a server with this configuration
 * needs and changes nothing. Exit code 1 when something would keep the server from its work.
 */
async function diagnose(args: readonly string[]): Promise<readonly Finding[]> {
  const config = readConfig(args, process.env)
  if (config.ok) return await examine(config.value)
  const next = 'Correct the setting; docs/operate/configuration.md has all of them.'
  return config.error.map((problem) => ({ what: 'configuration', ...fail(problem, next) }))
}

function lineOf({ what, outcome, sentence, next }: Finding): string {
  const line = `${outcome.padEnd(5)} ${what.padEnd(14)} ${sentence}\n`
  return next === null ? line : `${line}${' '.repeat(21)}-> ${next}\n`
}

const asJson = process.argv.includes('--json')
const findings = await diagnose(process.argv.slice(2).filter((arg) => arg !== '--json'))
const isHealthy = findings.every(({ outcome }) => outcome !== 'fail')
process.stdout.write(asJson ? `${JSON.stringify({ healthy: isHealthy, findings })}\n` : findings.map(lineOf).join(''))
process.exitCode = isHealthy ? 0 : 1

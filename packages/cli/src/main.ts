#!/usr/bin/env node
import { buildApplication, buildRouteMap, run } from '@stricli/core'
import { packCommand } from './commands/estate/package-pack.ts'
import { pushCommand } from './commands/estate/package-push.ts'
import type { CliContext } from './lib/context.ts'
import { exitCodes } from './lib/exit-code.ts'

/** `bascule <noun> <verb>`, and the short forms of what people type every day. A command is one line in each place. */
const root = buildRouteMap<string, CliContext>({
  routes: {
    package: buildRouteMap<string, CliContext>({
      routes: { pack: packCommand, push: pushCommand },
      docs: { brief: 'Make and upload packages' },
    }),
    pack: packCommand,
    push: pushCommand,
  },
  docs: { brief: 'Bascule carries a release to the devices that run it' },
})

const application = buildApplication<CliContext>(root, {
  name: 'bascule',
  scanner: { caseStyle: 'allow-kebab-for-camel' },
})

await run(application, process.argv.slice(2), { process: process as CliContext['process'] })

// Below zero are the words of the parser: what was typed is not a command, or not so.
if (Number(process.exitCode) < 0) process.exitCode = exitCodes.usage

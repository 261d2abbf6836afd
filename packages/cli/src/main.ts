#!/usr/bin/env node
import { buildApplication, buildRouteMap, run } from '@stricli/core'
import { askBoardCommand } from './commands/decide/ask-board.ts'
import { caseListCommand } from './commands/decide/case-list.ts'
import {
  caseBackOutFromCommand,
  caseLiftStopCommand,
  caseOpenPhasesCommand,
  caseRatifyCommand,
  caseStopCommand,
  caseWithdrawCommand,
} from './commands/decide/case-propose.ts'
import { caseDeferCommand, caseNoGoCommand } from './commands/decide/case-say.ts'
import { caseShowCommand } from './commands/decide/case-show.ts'
import { signCommand } from './commands/decide/sign.ts'
import { releaseBackOutCommand } from './commands/deliver/release-back-out.ts'
import { releasePhasesCommand } from './commands/deliver/release-phases.ts'
import { releasePauseCommand, releaseResumeCommand, releaseStartCommand } from './commands/deliver/rollout-actions.ts'
import { rolloutWatchCommand } from './commands/deliver/rollout-watch.ts'
import { deviceListCommand } from './commands/estate/device-list.ts'
import { deviceApproveCommand, deviceRevokeCommand } from './commands/estate/device-state.ts'
import { deviceTokenCommand } from './commands/estate/device-token.ts'
import { packCommand } from './commands/estate/package-pack.ts'
import { pushCommand } from './commands/estate/package-push.ts'
import { keyMakeCommand, keyPaperCommand } from './commands/key/key-make.ts'
import { keyRegisterCommand } from './commands/key/key-register.ts'
import { keyShowCommand } from './commands/key/key-show.ts'
import { releaseListCommand } from './commands/plan/release-list.ts'
import { releaseShowCommand } from './commands/plan/release-show.ts'
import { backupCommand, restoreCommand } from './commands/platform/backup.ts'
import { doctorCommand } from './commands/platform/doctor.ts'
import { signInCommand } from './commands/platform/sign-in.ts'
import { startCommand } from './commands/platform/start.ts'
import {
  trustAddLineCommand,
  trustJoinCommand,
  trustLeaveCommand,
  trustQuorumCommand,
  trustRenewCommand,
  trustReplaceCustodianCommand,
  trustReplaceKeyCommand,
  trustRotateOnlineCommand,
} from './commands/trust/board-changes.ts'
import { trustExportCommand } from './commands/trust/trust-export.ts'
import { trustInitCommand } from './commands/trust/trust-init.ts'
import { trustStatusCommand } from './commands/trust/trust-status.ts'
import type { CliContext } from './lib/context.ts'
import { exitCodes } from './lib/exit-code.ts'

/** `bascule <noun> <verb>`, and the short forms of what people type every day. A command is one line in each place. */
const root = buildRouteMap<string, CliContext>({
  routes: {
    package: buildRouteMap<string, CliContext>({
      routes: { pack: packCommand, push: pushCommand },
      docs: { brief: 'Make and upload packages' },
    }),
    release: buildRouteMap<string, CliContext>({
      routes: {
        list: releaseListCommand,
        show: releaseShowCommand,
        'ask-board': askBoardCommand,
        start: releaseStartCommand,
        phases: releasePhasesCommand,
        watch: rolloutWatchCommand,
        pause: releasePauseCommand,
        resume: releaseResumeCommand,
        'back-out': releaseBackOutCommand,
      },
      docs: { brief: 'See releases and roll them out' },
    }),
    rollout: buildRouteMap<string, CliContext>({
      routes: { watch: rolloutWatchCommand },
      docs: { brief: 'Follow rollouts' },
    }),
    device: buildRouteMap<string, CliContext>({
      routes: {
        list: deviceListCommand,
        token: deviceTokenCommand,
        approve: deviceApproveCommand,
        revoke: deviceRevokeCommand,
      },
      docs: { brief: 'Let devices in and keep them' },
    }),
    case: buildRouteMap<string, CliContext>({
      routes: {
        list: caseListCommand,
        show: caseShowCommand,
        ask: askBoardCommand,
        'no-go': caseNoGoCommand,
        defer: caseDeferCommand,
        stop: caseStopCommand,
        'lift-stop': caseLiftStopCommand,
        withdraw: caseWithdrawCommand,
        'back-out-from': caseBackOutFromCommand,
        'open-phases': caseOpenPhasesCommand,
        ratify: caseRatifyCommand,
      },
      docs: { brief: 'Ask boards, and say what you think of a question' },
    }),
    key: buildRouteMap<string, CliContext>({
      routes: { make: keyMakeCommand, paper: keyPaperCommand, show: keyShowCommand, register: keyRegisterCommand },
      docs: { brief: 'Keep the keys that you sign with' },
    }),
    trust: buildRouteMap<string, CliContext>({
      routes: {
        init: trustInitCommand,
        status: trustStatusCommand,
        'add-line': trustAddLineCommand,
        join: trustJoinCommand,
        leave: trustLeaveCommand,
        'replace-key': trustReplaceKeyCommand,
        quorum: trustQuorumCommand,
        'rotate-online': trustRotateOnlineCommand,
        'replace-custodian': trustReplaceCustodianCommand,
        renew: trustRenewCommand,
        export: trustExportCommand,
      },
      docs: { brief: 'Say whose signatures count: ceremonies, members, quorums, renewals' },
    }),
    sign: signCommand,
    'sign-in': signInCommand,
    start: startCommand,
    doctor: doctorCommand,
    backup: backupCommand,
    restore: restoreCommand,
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

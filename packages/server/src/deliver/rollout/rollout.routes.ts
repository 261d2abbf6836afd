import { os } from '#/platform/http/os.ts'
import { answer } from '#/platform/lib/answer.ts'
import { acceptPhase, pausePhase, resumePhase } from '../phase/phase.service.ts'
import { previewBackOut } from './preview-back-out.ts'
import { acceptResidual, backOut, explainPause, pauseRollout, resumeRollout } from './rollout.service.ts'
import { startRollout } from './start-rollout.ts'

const { rollout, phase } = os.deliver

/** What people do to a rollout. How it stands is a view across wings; see `views/releases`. */
export const rolloutActions = {
  start: rollout.start.handler(async ({ input, context }) => ({
    releaseId: answer(await startRollout(context, context.services.repository, input.releaseId)),
  })),
  pause: rollout.pause.handler(async ({ input, context }) => ({
    releaseId: answer(await pauseRollout(context, input.releaseId, input.reason)),
  })),
  explainPause: rollout.explainPause.handler(async ({ input, context }) => ({
    releaseId: answer(await explainPause(context, input.releaseId, input.reason)),
  })),
  resume: rollout.resume.handler(async ({ input, context }) => ({
    releaseId: answer(await resumeRollout(context, input.releaseId, input.reason)),
  })),
  previewBackOut: rollout.previewBackOut.handler(async ({ input, context }) =>
    answer(await previewBackOut(context.db, input.releaseId, input.phase)),
  ),
  backOut: rollout.backOut.handler(async ({ input, context }) => ({
    releaseId: answer(await backOut(context, input.releaseId, input)),
  })),
  acceptResidual: rollout.acceptResidual.handler(async ({ input, context }) => ({
    releaseId: answer(await acceptResidual(context, input.releaseId, input.reason)),
  })),
}

export const phaseRoutes = phase.router({
  pause: phase.pause.handler(async ({ input, context }) => ({ releaseId: answer(await pausePhase(context, input)) })),
  resume: phase.resume.handler(async ({ input, context }) => ({
    releaseId: answer(await resumePhase(context, input)),
  })),
  accept: phase.accept.handler(async ({ input, context }) => ({
    releaseId: answer(await acceptPhase(context, input)),
  })),
})

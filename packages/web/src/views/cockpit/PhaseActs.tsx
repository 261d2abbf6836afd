import { ActionIcon, Menu } from '@mantine/core'
import { IconDots } from '@tabler/icons-react'
import { useState } from 'react'
import type { Phase } from './cockpit-view.ts'
import { PhaseGoOnDialog } from './PhaseGoOnDialog.tsx'
import { useFreshness } from '#/ui/use-freshness.ts'
import { useRolloutActs } from './use-rollout-acts.ts'
import { useCan } from '#/api/session.ts'
import { ReasonDialog } from '#/ui/ConfirmDialog.tsx'

type Act = 'pause' | 'resume' | 'accept'

interface PhaseActsProps {
  releaseId: string
  phase: Phase
}

/** What can be done to one phase as it stands; nothing is offered that its state does not allow. */
export function PhaseActs({ releaseId, phase }: PhaseActsProps) {
  const [open, setOpen] = useState<Act | null>(null)
  const acts = useRolloutActs()
  const freshness = useFreshness()
  const canPause = useCan('rollout.pause')
  const canResume = useCan('rollout.start')
  const isMoving = phase.state === 'open' || phase.state === 'soaking'
  // A phase that was left behind and failed late stops the rollout all the same; it too needs a larger budget.
  const hasFailedLate = phase.state === 'succeeded' && phase.verdict.answer === 'stop'
  const isStopped = hasFailedLate || ['paused', 'held', 'failed', 'not-enough-evidence'].includes(phase.state)
  if (!(isMoving && canPause) && !(isStopped && canResume)) return null
  const input = { releaseId, phase: phase.order }
  const close = () => setOpen(null)
  const done = { onSuccess: close }
  return (
    <>
      <Menu>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" size={24} aria-label={`Actions of phase ${phase.order}`}>
            <IconDots size={15} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {isMoving ? <Menu.Item onClick={() => setOpen('pause')}>Pause this phase…</Menu.Item> : null}
          {isStopped ? (
            <Menu.Item {...freshness} onClick={() => setOpen('resume')}>
              Let it go on…
            </Menu.Item>
          ) : null}
          {phase.state === 'held' ? (
            <Menu.Item {...freshness} onClick={() => setOpen('accept')}>
              Leave it behind as it is…
            </Menu.Item>
          ) : null}
        </Menu.Dropdown>
      </Menu>
      <ReasonDialog
        isOpen={open === 'pause'}
        onClose={close}
        title={`Pause phase ${phase.order}`}
        verb="Pause phase"
        effect="No new device of this phase begins to install. Later phases do not open meanwhile."
        error={acts.pausePhase.error}
        isBusy={acts.pausePhase.isPending}
        onConfirm={(reason) => acts.pausePhase.mutate({ ...input, reason }, done)}
      />
      {open === 'resume' ? (
        <PhaseGoOnDialog
          phase={phase}
          onClose={close}
          error={acts.resumePhase.error}
          isBusy={acts.resumePhase.isPending}
          onConfirm={(reason, changed) => acts.resumePhase.mutate({ ...input, reason, ...changed }, done)}
        />
      ) : null}
      <ReasonDialog
        isOpen={open === 'accept'}
        onClose={close}
        title={`Leave phase ${phase.order} behind`}
        verb="Leave it behind"
        effect="The next phase may open although this one has not reached its goal."
        error={acts.acceptPhase.error}
        isBusy={acts.acceptPhase.isPending}
        onConfirm={(reason) => acts.acceptPhase.mutate({ ...input, reason }, done)}
      />
    </>
  )
}

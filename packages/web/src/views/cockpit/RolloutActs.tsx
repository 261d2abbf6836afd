import { ActionIcon, Button, Menu } from '@mantine/core'
import {
  IconArchive,
  IconArrowBackUp,
  IconDots,
  IconGavel,
  IconHandStop,
  IconPencil,
  IconPlayerPause,
  IconPlayerPlay,
  IconPrinter,
  IconTrash,
} from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { BackOutDialog } from './BackOutDialog.tsx'
import styles from './RolloutActs.module.css'
import { AskBoardDialog } from './AskBoardDialog.tsx'
import { isAskable, isFrozen, successPercent, type Release, type Rollout } from './cockpit-view.ts'
import { ProposeDialog } from './ProposeDialog.tsx'
import { useFreshness } from '#/ui/use-freshness.ts'
import { useRolloutActs, type RolloutActsState } from './use-rollout-acts.ts'
import { useCan } from '#/api/session.ts'
import { EffectDialog, ReasonDialog } from '#/ui/ConfirmDialog.tsx'
import { countOf, formatRate } from '#/ui/format.ts'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'

type Open =
  | 'ask'
  | 'start'
  | 'explain-pause'
  | 'resume'
  | 'back-out'
  | 'accept-residual'
  | 'cancel'
  | 'stop'
  | 'withdraw'
  | null

interface RolloutActsProps {
  release: Release
  rollout: Rollout | undefined
}

/** The safe act is one click away, the dangerous one in a menu; on a phone the safe act stands at the bottom. */
export function RolloutActs({ release, rollout }: RolloutActsProps) {
  const [open, setOpen] = useState<Open>(null)
  const acts = useRolloutActs()
  function pause() {
    // A pause never waits for words: it acts, then asks why.
    acts.pause.mutate({ releaseId: release.id }, { onSuccess: () => setOpen('explain-pause') })
  }
  const main = <MainAct release={release} rollout={rollout} acts={acts} onOpen={setOpen} onPause={pause} />
  return (
    <>
      <div className={`${styles.acts} no-print`}>
        <MoreMenu release={release} rollout={rollout} onOpen={setOpen} />
        <span className={styles.onDesk}>{main}</span>
      </div>
      <div className={`${styles.bottomBar} no-print`}>{main}</div>
      {acts.pause.error === null ? null : (
        <div className={styles.problem}>
          <ProblemAlert title="The rollout was not paused" error={acts.pause.error} onRetry={pause} />
        </div>
      )}
      <Dialogs release={release} rollout={rollout} acts={acts} open={open} onClose={() => setOpen(null)} />
      {open === 'ask' ? <AskBoardDialog release={release} onClose={() => setOpen(null)} /> : null}
      {open === 'stop' || open === 'withdraw' ? (
        <ProposeDialog release={release} kind={open} onClose={() => setOpen(null)} />
      ) : null}
    </>
  )
}

interface MainActProps extends RolloutActsProps {
  acts: RolloutActsState
  onOpen: (open: Open) => void
  onPause: () => void
}

function MainAct({ release, rollout, acts, onOpen, onPause }: MainActProps) {
  const canStart = useCan('rollout.start')
  const canPause = useCan('rollout.pause')
  const freshness = useFreshness()
  const canAsk = useCan('release.write')
  if (rollout === undefined && canAsk && isAskable(release)) {
    return (
      <Button {...freshness} leftSection={<IconGavel size={15} />} onClick={() => onOpen('ask')}>
        Ask the board…
      </Button>
    )
  }
  if (rollout === undefined) {
    // Without a Go no device would take it, so a start is not even offered.
    return canStart && release.state === 'authorised' ? (
      <Button {...freshness} leftSection={<IconPlayerPlay size={15} />} onClick={() => onOpen('start')}>
        Start rollout…
      </Button>
    ) : null
  }
  if (rollout.state === 'running' && canPause) {
    // Pausing on old numbers is still safe, so it is never disabled.
    return (
      <Button
        variant="default"
        leftSection={<IconPlayerPause size={15} />}
        loading={acts.pause.isPending}
        onClick={onPause}
      >
        Pause rollout
      </Button>
    )
  }
  if (rollout.state === 'paused' && canStart) {
    return (
      <Button {...freshness} leftSection={<IconPlayerPlay size={15} />} onClick={() => onOpen('resume')}>
        Resume…
      </Button>
    )
  }
  return null
}

function MoreMenu({ release, rollout, onOpen }: RolloutActsProps & { onOpen: (open: Open) => void }) {
  const freshness = useFreshness()
  const canBackOut = useCan('rollout.back-out')
  const canStart = useCan('rollout.start')
  const canPlan = useCan('release.write') && rollout === undefined && release.state !== 'cancelled'
  const canStop = useCan('board.vote') && (rollout !== undefined || release.state === 'authorised')
  const navigate = useNavigate()
  const isFinished = rollout !== undefined && ['closed', 'aborted', 'backed-out', 'backing-out'].includes(rollout.state)
  return (
    <Menu>
      <Menu.Target>
        <ActionIcon variant="default" size={30} aria-label="More actions">
          <IconDots size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconPrinter size={15} />} onClick={() => globalThis.print()}>
          Print this page
        </Menu.Item>
        {rollout?.state === 'running' && canStart ? (
          <Menu.Item {...freshness} leftSection={<IconArchive size={15} />} onClick={() => onOpen('accept-residual')}>
            Complete with devices left over…
          </Menu.Item>
        ) : null}
        {rollout !== undefined && canBackOut && !isFinished ? (
          <>
            <Menu.Divider />
            <Menu.Item
              {...freshness}
              color="var(--fail-tx)"
              leftSection={<IconArrowBackUp size={15} />}
              onClick={() => onOpen('back-out')}
            >
              Back out…
            </Menu.Item>
          </>
        ) : null}
        {canStop ? (
          <>
            <Menu.Divider />
            <Menu.Item
              {...freshness}
              color="var(--fail-tx)"
              leftSection={<IconHandStop size={15} />}
              onClick={() => onOpen('stop')}
            >
              Stop on all devices…
            </Menu.Item>
            <Menu.Item
              {...freshness}
              color="var(--fail-tx)"
              leftSection={<IconGavel size={15} />}
              onClick={() => onOpen('withdraw')}
            >
              Withdraw the Go…
            </Menu.Item>
          </>
        ) : null}
        {canPlan && !isFrozen(release) ? (
          <Menu.Item
            leftSection={<IconPencil size={15} />}
            onClick={() => void navigate({ to: '/releases/$releaseId/edit', params: { releaseId: release.id } })}
          >
            Change plan
          </Menu.Item>
        ) : null}
        {canPlan ? (
          <Menu.Item
            {...freshness}
            color="var(--fail-tx)"
            leftSection={<IconTrash size={15} />}
            onClick={() => onOpen('cancel')}
          >
            Cancel this release…
          </Menu.Item>
        ) : null}
      </Menu.Dropdown>
    </Menu>
  )
}

interface DialogsProps extends RolloutActsProps {
  acts: RolloutActsState
  open: Open
  onClose: () => void
}

function Dialogs({ release, rollout, acts, open, onClose }: DialogsProps) {
  const { id: releaseId } = release
  const done = { onSuccess: onClose }
  const name = `${release.title} ${release.version}`
  if (rollout === undefined) {
    return (
      <>
        <EffectDialog
          isOpen={open === 'start'}
          onClose={onClose}
          title={`Start ${name}`}
          verb="Start rollout"
          effect={`Exactly what the board has signed goes out. Phase 1, ${release.phases[0]?.name ?? ''}, opens as soon as its conditions hold; devices take it at their next check-in.`}
          error={acts.start.error}
          isBusy={acts.start.isPending}
          onConfirm={() => acts.start.mutate({ releaseId }, done)}
        />
        <ReasonDialog
          isOpen={open === 'cancel'}
          onClose={onClose}
          title={`Cancel ${name}`}
          verb="Cancel release"
          cancelVerb="Keep it"
          effect="The release will not start. Its plan stays readable."
          error={acts.cancel.error}
          isBusy={acts.cancel.isPending}
          onConfirm={(reason) => acts.cancel.mutate({ releaseId, reason }, done)}
        />
      </>
    )
  }
  return (
    <>
      <ReasonDialog
        isOpen={open === 'explain-pause'}
        onClose={onClose}
        title="Paused. Why?"
        verb="Keep the reason"
        cancelVerb="Later"
        effect={pauseEffect(rollout)}
        error={acts.explainPause.error}
        isBusy={acts.explainPause.isPending}
        onConfirm={(reason) => acts.explainPause.mutate({ releaseId, reason }, done)}
      />
      <ReasonDialog
        isOpen={open === 'resume'}
        onClose={onClose}
        title="Resume rollout"
        verb="Resume rollout"
        effect={resumeEffect(rollout)}
        error={acts.resume.error}
        isBusy={acts.resume.isPending}
        onConfirm={(reason) => acts.resume.mutate({ releaseId, reason }, done)}
      />
      <ReasonDialog
        isOpen={open === 'accept-residual'}
        onClose={onClose}
        title="Complete with devices left over"
        verb="Complete rollout"
        effect="The rollout ends here. Devices that are not verified keep what they have and stay on the list."
        error={acts.acceptResidual.error}
        isBusy={acts.acceptResidual.isPending}
        onConfirm={(reason) => acts.acceptResidual.mutate({ releaseId, reason }, done)}
      />
      {open === 'back-out' ? <BackOutDialog release={release} rollout={rollout} acts={acts} onClose={onClose} /> : null}
    </>
  )
}

function pauseEffect({ whole }: Rollout): string {
  const finishing =
    whole.inFlight === 0
      ? 'None is installing now.'
      : `${countOf(whole.inFlight, 'device')} already installing will finish.`
  return `No new device begins to install. ${finishing}`
}

function resumeEffect({ whole }: Rollout): string {
  const percent = successPercent(whole)
  const soFar = percent === null ? '' : ` So far ${formatRate(percent)} of the decided succeeded.`
  return `Devices go on at their next check-in.${soFar}`
}

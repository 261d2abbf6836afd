import { PhaseActs } from './PhaseActs.tsx'
import styles from './PhasesCard.module.css'
import { hasBegun, paceWords, phaseNote, successPercent, type Phase, type Rollout } from './cockpit-view.ts'
import { FailureBudget } from '#/ui/FailureBudget.tsx'
import { PhaseBar } from '#/ui/PhaseBar.tsx'
import { PhaseRing } from '#/ui/PhaseRing.tsx'
import { SectionCard } from '#/ui/SectionCard.tsx'
import { StateTag } from '#/ui/StateTag.tsx'
import { countOf, formatCount, formatRate, formatShare } from '#/ui/format.ts'

export function PhasesCard({ releaseId, rollout }: { releaseId: string; rollout: Rollout }) {
  return (
    <SectionCard
      title="Phases"
      hint={rollout.next}
      actions={
        <span className={styles.key}>
          <i aria-hidden />
          advance at
        </span>
      }
    >
      <table className={styles.phases}>
        <thead>
          <tr>
            <th scope="col">Audience</th>
            <th scope="col">How</th>
            <th scope="col">Progress</th>
            <th scope="col">Success</th>
            <th scope="col">Failures</th>
          </tr>
        </thead>
        <tbody>
          {rollout.phases.map((phase) => (
            <PhaseLine key={phase.order} releaseId={releaseId} phase={phase} of={rollout.phases.length} />
          ))}
        </tbody>
      </table>
    </SectionCard>
  )
}

function PhaseLine({ releaseId, phase, of }: { releaseId: string; phase: Phase; of: number }) {
  const isBegun = hasBegun(phase)
  const [pace, window_] = paceWords(phase.limits)
  return (
    <tr data-begun={isBegun || undefined}>
      <td>
        <div className={styles.name}>
          <PhaseRing order={phase.order} of={of} state={phase.state} />
          <div>
            <b>
              {phase.order}. {phase.name}
            </b>
            <span className="mono">{phase.query === '' ? 'everybody left' : phase.query}</span>
          </div>
        </div>
      </td>
      <td>
        <span className={styles.line}>{pace}</span>
        <span className={styles.sub}>{window_}</span>
      </td>
      <td>
        <Progress phase={phase} isBegun={isBegun} />
      </td>
      <td className="num">
        <Success phase={phase} />
      </td>
      <td>
        <div className={styles.failures}>
          <FailureBudget failed={phase.tally.failures} allowed={phase.limits.failureBudget} hasStarted={isBegun} />
          <PhaseActs releaseId={releaseId} phase={phase} />
        </div>
      </td>
    </tr>
  )
}

function Progress({ phase, isBegun }: { phase: Phase; isBegun: boolean }) {
  const { tally } = phase
  return (
    <>
      <div className={styles.progressTop}>
        <span className="num">
          {isBegun ? (
            <>
              <b>{formatShare(tally.verified, tally.countable)}</b>{' '}
              <span className="dim">of {formatCount(tally.countable)}</span>
            </>
          ) : (
            <span className="dim">{countOf(tally.size, 'device')}</span>
          )}
        </span>
        <StateTag machine="phase" state={phase.state} />
      </div>
      <PhaseBar
        total={tally.countable}
        verified={tally.verified}
        inFlight={tally.inFlight + tally.downloading + tally.offered}
        failed={tally.failures}
        advancePercent={phase.limits.advanceAtPermille / 10}
      />
      <div className={styles.note} data-hold={phase.verdict.answer === 'hold' || undefined}>
        {phaseNote(phase)}
      </div>
    </>
  )
}

function Success({ phase }: { phase: Phase }) {
  const percent = successPercent(phase.tally)
  if (percent === null) return <span className="dim">–</span>
  return (
    <>
      <b>{formatRate(percent)}</b>
      <span className={styles.sub}>min {phase.limits.successPermilleMin / 10} %</span>
    </>
  )
}

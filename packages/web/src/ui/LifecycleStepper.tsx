import { Tooltip } from '@mantine/core'
import styles from './LifecycleStepper.module.css'
import { gateAfter, stageName, type Stage, type StageGate } from './lifecycle.ts'

/** The six stages of a release with a gate between each two. */
export function LifecycleStepper({ stages }: { stages: readonly Stage[] }) {
  return (
    <nav aria-label="Release lifecycle" className={styles.lifecycle}>
      <ol>
        {stages.map((stage) => {
          const gate = gateAfter(stage)
          return (
            <li key={stage.key} data-status={stage.status} aria-current={stage.status === 'now' ? 'step' : undefined}>
              <div className={styles.track}>
                <span className={styles.bar}>
                  {stage.status === 'now' ? (
                    <em style={{ width: `${Math.max(stage.donePercent ?? 0, 2.5)}%` }} />
                  ) : null}
                </span>
                {gate === undefined ? null : <Gate gate={gate} />}
              </div>
              <div className={styles.words}>
                <b>{stageName(stage.key)}</b>
                <span>{stage.note}</span>
              </div>
            </li>
          )
        })}
      </ol>
    </nav>
  )
}

function Gate({ gate }: { gate: StageGate }) {
  return (
    <Tooltip label={gate.label}>
      <button type="button" className={styles.gate} data-behind={gate.isBehind || undefined} aria-label={gate.label} />
    </Tooltip>
  )
}

import { NumberInput } from '@mantine/core'
import { useState } from 'react'
import type { Phase } from './cockpit-view.ts'
import styles from './PhaseGoOnDialog.module.css'
import { ReasonDialog } from '#/ui/ConfirmDialog.tsx'
import { countOf } from '#/ui/format.ts'

/** Only what was changed; what is left out stays as it is. */
export interface ChangedLimits {
  failureBudget?: number
  inFlightMax?: number
}

interface PhaseGoOnDialogProps {
  phase: Phase
  error: unknown
  isBusy: boolean
  onClose: () => void
  onConfirm: (reason: string, changed: ChangedLimits) => void
}

/** Lets a stopped phase go on; a phase that failures have stopped needs more room for them first. */
export function PhaseGoOnDialog({ phase, error, isBusy, onClose, onConfirm }: PhaseGoOnDialogProps) {
  const { limits, tally, verdict } = phase
  const [budget, setBudget] = useState<number | string>(limits.failureBudget)
  const [inFlight, setInFlight] = useState<number | string>(limits.inFlightMax)
  const failed = tally.failures
  const isTooSmall = (limit: number | string) => typeof limit !== 'number' || Math.max(1, limit) <= failed
  const tooSmall = `Must be above ${failed}, or the phase stops again`
  return (
    <ReasonDialog
      isOpen
      onClose={onClose}
      title={`Let phase ${phase.order} go on`}
      verb="Go on"
      effect={`Devices of this phase go on at their next check-in. ${verdict.because}`}
      error={error}
      isBusy={isBusy}
      isBlocked={isTooSmall(budget) || isTooSmall(inFlight)}
      onConfirm={(reason) => onConfirm(reason, changedOf(limits, budget, inFlight))}
    >
      <div className={styles.limits}>
        <NumberInput
          size="sm"
          label="Failures stop at"
          description={`${countOf(failed, 'device')} failed so far`}
          min={0}
          allowDecimal={false}
          value={budget}
          onChange={setBudget}
          error={isTooSmall(budget) ? tooSmall : undefined}
        />
        <NumberInput
          size="sm"
          label="At a time"
          description="Failed and installing together"
          min={1}
          allowDecimal={false}
          value={inFlight}
          onChange={setInFlight}
          error={isTooSmall(inFlight) ? tooSmall : undefined}
        />
      </div>
    </ReasonDialog>
  )
}

function changedOf(limits: Phase['limits'], budget: number | string, inFlight: number | string): ChangedLimits {
  return {
    ...(typeof budget === 'number' && budget !== limits.failureBudget ? { failureBudget: budget } : {}),
    ...(typeof inFlight === 'number' && inFlight !== limits.inFlightMax ? { inFlightMax: inFlight } : {}),
  }
}

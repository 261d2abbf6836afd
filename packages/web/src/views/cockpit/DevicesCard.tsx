import { SegmentedControl } from '@mantine/core'
import { useState } from 'react'
import styles from './DevicesCard.module.css'
import { PaceChart } from './PaceChart.tsx'
import { causesOf, currentPhase, deviceCounts, type Rollout } from './cockpit-view.ts'
import { CauseList } from '#/ui/CauseList.tsx'
import { DeviceBar } from '#/ui/DeviceBar.tsx'
import { SectionCard } from '#/ui/SectionCard.tsx'
import { AppLink } from '#/ui/AppLink.tsx'

export function DevicesCard({ rollout }: { rollout: Rollout }) {
  const phase = currentPhase(rollout)
  const [scope, setScope] = useState('phase')
  const isWhole = scope === 'whole' || phase === undefined
  const causes = causesOf(rollout)
  return (
    <SectionCard
      title="Devices"
      actions={
        <>
          {phase === undefined ? null : (
            <SegmentedControl
              size="xs"
              value={scope}
              onChange={setScope}
              aria-label="Which devices"
              data={[
                { value: 'phase', label: `Phase ${phase.order}` },
                { value: 'whole', label: 'Whole release' },
              ]}
            />
          )}
          <AppLink to="/releases/$releaseId/devices" params={{ releaseId: rollout.releaseId }} fz={12.5}>
            Jobs
          </AppLink>
          <AppLink to="/fleet" search={{ release: rollout.releaseId }} fz={12.5}>
            Open in Fleet
          </AppLink>
        </>
      }
    >
      <div className={styles.pair}>
        <DeviceBar counts={deviceCounts(isWhole ? rollout.whole : phase.tally)} releaseId={rollout.releaseId} />
        <PaceChart rollout={rollout} />
      </div>
      {causes.length === 0 ? null : <CauseList causes={causes} />}
    </SectionCard>
  )
}

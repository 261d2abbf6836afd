import { Button } from '@mantine/core'
import { lazy, Suspense, useState, type ReactNode } from 'react'
import styles from './ComponentsPage.module.css'
import { sampleCauses, sampleCounts, sampleRefusal, sampleStages } from './samples.ts'
import { CauseList } from '#/ui/CauseList.tsx'
import { BlastDialog, EffectDialog, ReasonDialog } from '#/ui/ConfirmDialog.tsx'
import { DeviceBar } from '#/ui/DeviceBar.tsx'
import { DigestText } from '#/ui/DigestText.tsx'
import { EmptyState } from '#/ui/EmptyState.tsx'
import { FailureBudget } from '#/ui/FailureBudget.tsx'
import { KeyValue } from '#/ui/KeyValue.tsx'
import { LifecycleStepper } from '#/ui/LifecycleStepper.tsx'
import { LiveMark } from '#/ui/LiveMark.tsx'
import { Loading } from '#/ui/Loading.tsx'
import { Page } from '#/ui/Page.tsx'
import { PhaseBar } from '#/ui/PhaseBar.tsx'
import { PhaseRing } from '#/ui/PhaseRing.tsx'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'
import { RelativeTime } from '#/ui/RelativeTime.tsx'
import { SectionCard } from '#/ui/SectionCard.tsx'
import { SentenceList } from '#/ui/SentenceList.tsx'
import { StateTag } from '#/ui/StateTag.tsx'
import { formatCount } from '#/ui/format.ts'
import { statesOf, type Machine } from '#/ui/states.ts'
import { ListTable } from '#/ui/table/ListTable.tsx'

const TableSample = lazy(async () => ({ default: (await import('./TableSample.tsx')).TableSample }))

const machines: readonly Machine[] = ['release', 'rollout', 'phase', 'job', 'device', 'package', 'token', 'item']

/** Every component of the house in every state, for people who change one and for the tests of both themes. */
export function ComponentsPage() {
  return (
    <main>
      <Page title="Components" note="Everything on this page is sample data; nothing here is real.">
        <div className={styles.grid}>
          {machines.map((machine) => (
            <Sample key={machine} name={`States of a ${machine}`}>
              <div className={styles.row}>
                {statesOf(machine).map((state) => (
                  <StateTag key={state} machine={machine} state={state} />
                ))}
              </div>
            </Sample>
          ))}
          <Sample name="Phases">
            <PhaseSamples />
          </Sample>
          <Sample name="Devices">
            <DeviceBar counts={sampleCounts} releaseId="REL-0001" />
            <CauseList causes={sampleCauses} />
          </Sample>
          <Sample name="Lifecycle">
            <LifecycleStepper stages={sampleStages} />
          </Sample>
          <Sample name="Words">
            <WordSamples />
          </Sample>
          <Sample name="Problems">
            <ProblemSamples />
          </Sample>
          <Sample name="Dialogs">
            <DialogSamples />
          </Sample>
          <Sample name="List">
            <ListTable
              label="Sample list"
              rows={sampleCauses}
              idOf={(cause) => cause.what}
              columns={[
                { header: 'Cause', cell: (cause) => cause.what },
                { header: 'Devices', isNumber: true, cell: (cause) => formatCount(cause.count) },
              ]}
              hasMore
            />
          </Sample>
        </div>
        <h2 className={styles.tableTitle}>A table of 100,000 sample rows</h2>
        <Suspense fallback={<Loading what="the sample table" />}>
          <TableSample />
        </Suspense>
      </Page>
    </main>
  )
}

function Sample({ name, children }: { name: string; children: ReactNode }) {
  return (
    <SectionCard title={name} hint="sample">
      {children}
    </SectionCard>
  )
}

function PhaseSamples() {
  return (
    <div className={styles.stack}>
      {['succeeded', 'open', 'held', 'paused', 'failed', 'waiting'].map((state, index) => (
        <div key={state} className={styles.phase}>
          <PhaseRing order={Math.min(index + 1, 4)} of={4} state={state} />
          <PhaseBar total={1840} verified={1126 - index * 180} inFlight={308} failed={index + 1} advancePercent={90} />
          <FailureBudget failed={index * 11} allowed={55} hasStarted={state !== 'waiting'} />
        </div>
      ))}
    </div>
  )
}

function WordSamples() {
  const [openedAt] = useState(() => new Date().toISOString())
  return (
    <>
      <KeyValue
        lines={[
          { key: 'Digest', value: <DigestText digest={`sha256:${'4b8f'.repeat(16)}`} /> },
          { key: 'Opened', value: <RelativeTime at={openedAt} /> },
          { key: 'Live', value: <LiveMark state={{ kind: 'live' }} /> },
          { key: 'Away', value: <LiveMark state={{ kind: 'reconnecting', sinceMs: Date.parse(openedAt) }} /> },
          { key: 'Before the first', value: <LiveMark state={{ kind: 'connecting' }} /> },
        ]}
      />
      <SentenceList
        sentences={[
          { key: 'a', text: 'Devices return at their next check-in.' },
          { key: 'b', text: 'Data written since then stays.' },
        ]}
      />
      <EmptyState action={<Button variant="default">Add the first</Button>}>No freezes yet.</EmptyState>
      <Loading what="a sample" lines={2} />
    </>
  )
}

function ProblemSamples() {
  return (
    <div className={styles.stack}>
      <ProblemAlert title="The release could not be started" error={sampleRefusal} />
      <ProblemAlert title="The list could not be loaded" error={new TypeError('sample')} onRetry={() => undefined} />
      <ProblemAlert
        title="The package was not stored"
        error={{ kind: 'bad-input', what: 'variants.0.id: is missing', reference: 'sample-7f3a' }}
      />
    </div>
  )
}

function DialogSamples() {
  const [open, setOpen] = useState<'effect' | 'reason' | 'blast' | null>(null)
  const close = () => setOpen(null)
  return (
    <div className={styles.row}>
      <Button onClick={() => setOpen('effect')}>Start…</Button>
      <Button variant="default" onClick={() => setOpen('reason')}>
        Pause…
      </Button>
      <Button variant="default" onClick={() => setOpen('blast')}>
        Back out…
      </Button>
      <EffectDialog
        isOpen={open === 'effect'}
        onClose={close}
        onConfirm={close}
        title="Start the sample"
        verb="Start"
        effect="Phase 1 opens; 120 sample devices take it at their next check-in."
      />
      <ReasonDialog
        isOpen={open === 'reason'}
        onClose={close}
        onConfirm={close}
        title="Pause the sample"
        verb="Pause rollout"
        effect="No new device begins to install. 96 already installing will finish."
        error={sampleRefusal}
      />
      <BlastDialog
        isOpen={open === 'blast'}
        onClose={close}
        onConfirm={close}
        title="Back out the sample"
        verb="Back out"
        name="Sample 4.2.0"
        numbers={[
          { value: '1,244', label: 'devices are touched' },
          { value: '1,126', label: 'return to what they had' },
          { value: '96', label: 'are stopped while installing' },
          { value: '22', label: 'will not be reached' },
        ]}
        consequences={[{ key: 'a', text: 'Orders entered since 18 Nov stay in the new database.' }]}
      />
    </div>
  )
}

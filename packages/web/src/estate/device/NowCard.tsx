import { IconShieldCheck } from '@tabler/icons-react'
import type { DeviceDetails } from './device-source.ts'
import styles from './NowCard.module.css'
import type { Client } from '#/api/client.ts'
import { AppLink } from '#/ui/AppLink.tsx'
import { turnWords } from '#/ui/CauseList.tsx'
import { KeyValue } from '#/ui/KeyValue.tsx'
import { RelativeTime } from '#/ui/RelativeTime.tsx'
import { SectionCard } from '#/ui/SectionCard.tsx'
import { StateTag } from '#/ui/StateTag.tsx'

type Job = Awaited<ReturnType<Client['deliver']['job']['ofDevice']>>['items'][number]

interface NowCardProps {
  device: DeviceDetails
  /** Its latest job; undefined where there is none yet. */
  job: Job | undefined
}

/** What the device is doing, what holds it, and whose turn it is. */
export function NowCard({ device, job }: NowCardProps) {
  return (
    <SectionCard title="Now">
      <p className={styles.words}>
        {sentenceOf(device, job)}
        {job === undefined ? null : (
          <>
            {' '}
            <AppLink to="/releases/$releaseId" params={{ releaseId: job.releaseId }} fz="inherit">
              {job.release}
            </AppLink>{' '}
            <StateTag machine="job" state={job.state} />
          </>
        )}
      </p>
      {job?.turn === null || job === undefined ? null : <Trouble job={job} turn={job.turn} />}
      <p className={styles.authority}>
        <IconShieldCheck size={14} aria-hidden />
        {anchorWords[device.trustAnchor]}
      </p>
    </SectionCard>
  )
}

const anchorWords: Readonly<Record<DeviceDetails['trustAnchor'], string>> = {
  fingerprint: 'Installs only what a board has signed, checked from the root fingerprint it was enrolled with.',
  'first-use':
    'Installs only what a board has signed, checked from the root that this server showed it first: trust on first use.',
  none: 'Has no root yet: it takes the one this server shows at its first job, unless it is enrolled with the fingerprint.',
}

function Trouble({ job, turn }: { job: Job; turn: NonNullable<Job['turn']> }) {
  return (
    <KeyValue
      lines={[
        { key: 'Why', value: job.sentence ?? job.cause ?? 'The device has not said why.' },
        ...(job.refusal === null ? [] : [{ key: 'Refuses by rule', value: <Rule refusal={job.refusal} /> }]),
        ...(job.cause === null ? [] : [{ key: 'Cause', value: job.cause }]),
        { key: 'Goes on when', value: job.wakesOn ?? 'somebody acts; it does not wait for anything by itself' },
        { key: 'Whose turn', value: turnWords[turn] },
        { key: 'Since', value: <RelativeTime at={job.since} /> },
      ]}
    />
  )
}

function Rule({ refusal: { code, rule } }: { refusal: NonNullable<Job['refusal']> }) {
  return (
    <AppLink to="/fleet" search={{ refusal: code }}>
      <span className="mono">
        {code} {rule}
      </span>
    </AppLink>
  )
}

function sentenceOf(device: DeviceDetails, job: Job | undefined): string {
  if (device.state === 'pending') return 'Waits for approval: somebody lets it in before it takes any release.'
  if (device.state === 'silent') return 'Has gone quiet: it has not checked in as it used to.'
  if (device.state !== 'active') return 'Takes part in no release.'
  if (job === undefined) return 'Nothing was asked of it yet.'
  return job.sentence ?? 'Working on'
}

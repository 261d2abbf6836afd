import { IconGitFork } from '@tabler/icons-react'
import { TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { DeviceActs } from './DeviceActs.tsx'
import styles from './DevicePage.module.css'
import { AuthorisedCard } from './AuthorisedCard.tsx'
import { DeviceTimeline } from './DeviceTimeline.tsx'
import { NowCard } from './NowCard.tsx'
import type { DeviceDetails, InstalledPackage } from './device-source.ts'
import { client, orpc, type Client } from '#/api/client.ts'
import { useCan } from '#/api/session.ts'
import { DeviceChanges } from '#/estate/configuration/DeviceChanges.tsx'
import { AppLink } from '#/ui/AppLink.tsx'
import { DigestText } from '#/ui/DigestText.tsx'
import { EmptyState } from '#/ui/EmptyState.tsx'
import { KeyValue } from '#/ui/KeyValue.tsx'
import { Loading } from '#/ui/Loading.tsx'
import { Page } from '#/ui/Page.tsx'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'
import { RelativeTime } from '#/ui/RelativeTime.tsx'
import { SectionCard } from '#/ui/SectionCard.tsx'
import { StateTag, Tag } from '#/ui/StateTag.tsx'
import { formatBytes, formatMoment } from '#/ui/format.ts'
import { driftWords } from '#/ui/states.ts'
import { KeysetTable } from '#/ui/table/KeysetTable.tsx'
import { ListTable, type ListColumn } from '#/ui/table/ListTable.tsx'
import { useKeysetList } from '#/ui/use-keyset-list.ts'

type JobRow = Awaited<ReturnType<Client['deliver']['job']['ofDevice']>>['items'][number]

const jobRows = 20

/** What does this device run, why, and what does it wait for? */
export function DevicePage() {
  const { deviceId } = useParams({ from: '/shell/fleet/$deviceId' })
  const device = useQuery(orpc.estate.device.get.queryOptions({ input: { deviceId } }))
  return (
    <Page
      title={device.data?.name ?? 'Device'}
      trail={<AppLink to="/fleet">Fleet</AppLink>}
      note={device.data === undefined ? undefined : <StateTag machine="device" state={device.data.state} />}
      actions={
        device.data === undefined ? undefined : (
          <DeviceActs devices={{ deviceIds: [device.data.id] }} count={1} name={device.data.name} />
        )
      }
    >
      {device.error === null ? null : (
        <ProblemAlert
          title="This device could not be loaded"
          error={device.error}
          onRetry={() => void device.refetch()}
        />
      )}
      {device.isPending ? <Loading what="the device" lines={10} /> : null}
      {device.data === undefined ? null : <DeviceCards device={device.data} />}
    </Page>
  )
}

function DeviceCards({ device }: { device: DeviceDetails }) {
  const canReadCmdb = useCan('configuration.read')
  const jobs = useKeysetList([...orpc.deliver.job.key(), 'of-device', device.id], (after, signal) =>
    client.deliver.job.ofDevice({ deviceId: device.id, limit: jobRows, ...after }, { signal }),
  )
  return (
    <div className={styles.grid}>
      <div className={styles.column}>
        <NowCard device={device} job={jobs.rows?.[0]} />
        <RunsCard packages={device.packages} />
        <AuthorisedCard packages={device.packages} />
        {device.drift.length === 0 ? null : <DriftCard drift={device.drift} />}
        <SectionCard title="Jobs" hint="What it was asked to do and what came of it">
          <KeysetTable
            label="Jobs"
            list={jobs}
            idOf={(job) => job.job}
            columns={jobColumns}
            empty={<EmptyState>Nothing was asked of this device yet.</EmptyState>}
          />
        </SectionCard>
        <DeviceTimeline deviceId={device.id} />
        {canReadCmdb ? <DeviceChanges deviceId={device.id} /> : null}
      </div>
      <aside className={styles.column} aria-label="About this device">
        <AboutCard device={device} />
        <FactsCard facts={device.facts} at={device.factsAt} />
      </aside>
    </div>
  )
}

const jobColumns: ListColumn<JobRow>[] = [
  {
    header: 'Release',
    cell: (job) => (
      <Link to="/releases/$releaseId" params={{ releaseId: job.releaseId }}>
        {job.release}
      </Link>
    ),
  },
  { header: 'State', cell: (job) => <StateTag machine="job" state={job.state} /> },
  {
    header: 'Asked to',
    isMinor: true,
    cell: (job) => (job.action === 'install' ? 'install' : job.action.replace('-', ' ')),
  },
  { header: 'What it says', cell: (job) => job.sentence ?? '' },
  { header: 'Phase', isNumber: true, isMinor: true, cell: (job) => job.phase },
  { header: 'Since', isNumber: true, isMinor: true, cell: (job) => <RelativeTime at={job.since} /> },
]

function RunsCard({ packages }: { packages: readonly InstalledPackage[] }) {
  return (
    <SectionCard title="Runs" hint="Installed by Bascule, and why">
      {packages.length === 0 ? (
        <EmptyState>Bascule has installed nothing on this device yet.</EmptyState>
      ) : (
        <ListTable label="Runs" rows={packages} idOf={(each) => each.name} columns={packageColumns} />
      )}
    </SectionCard>
  )
}

const packageColumns: ListColumn<InstalledPackage>[] = [
  {
    header: 'Package',
    cell: (each) => (
      <Link to="/library/$packageName" params={{ packageName: each.name }}>
        {each.name}
      </Link>
    ),
  },
  { header: 'Version', cell: (each) => <span className="num">{each.version}</span> },
  { header: 'Modules', isMinor: true, cell: (each) => each.modules.join(', ') },
  { header: 'Digest', isMinor: true, cell: (each) => <DigestText digest={each.digest} /> },
  {
    header: 'Because of',
    cell: (each) =>
      each.releaseId === null ? (
        'found on the device'
      ) : (
        <Link to="/releases/$releaseId" params={{ releaseId: each.releaseId }}>
          {each.release ?? 'a release'}
        </Link>
      ),
  },
  { header: 'Since', isNumber: true, isMinor: true, cell: (each) => <RelativeTime at={each.since} /> },
]

function DriftCard({ drift }: { drift: DeviceDetails['drift'] }) {
  return (
    <SectionCard title="Drift" hint="Where it runs other than the CMDB says">
      <ListTable label="Drift" rows={drift} idOf={(each) => each.package} columns={driftColumns} />
    </SectionCard>
  )
}

const driftColumns: ListColumn<DeviceDetails['drift'][number]>[] = [
  { header: 'Package', cell: (each) => each.package },
  { header: 'What', cell: (each) => <Tag hue="pause" icon={IconGitFork} label={driftWords(each.kind)} /> },
  { header: 'Expected', cell: (each) => each.expected ?? 'nothing' },
  { header: 'Found', cell: (each) => each.found ?? 'nothing' },
  { header: 'Since', isNumber: true, isMinor: true, cell: (each) => <RelativeTime at={each.since} /> },
]

function AboutCard({ device }: { device: DeviceDetails }) {
  return (
    <SectionCard title="About">
      <KeyValue
        lines={[
          { key: 'System', value: device.os },
          { key: 'User', value: device.owner?.name ?? 'nobody' },
          { key: 'Site', value: device.site ?? 'not set' },
          { key: 'Org unit', value: device.orgUnit ?? 'not set' },
          { key: 'Roles', value: device.roles.length === 0 ? 'none' : device.roles.join(', ') },
          ...(device.tags.length === 0 ? [] : [{ key: 'Tags', value: device.tags.join(', ') }]),
          { key: 'Free disk', value: device.freeDiskBytes === null ? 'not told' : formatBytes(device.freeDiskBytes) },
          { key: 'Agent', value: device.agentVersion },
          { key: 'Last seen', value: device.lastSeenAt === null ? 'never' : <RelativeTime at={device.lastSeenAt} /> },
          { key: 'Enrolled', value: formatMoment(device.enrolledAt) },
          { key: 'Key', value: <DigestText digest={device.publicKey} /> },
          { key: 'Root', value: rootWords[device.trustAnchor] },
          { key: 'Assignment', value: `generation ${device.generation}` },
        ]}
      />
    </SectionCard>
  )
}

const rootWords: Readonly<Record<DeviceDetails['trustAnchor'], string>> = {
  fingerprint: 'by fingerprint',
  'first-use': 'trust on first use',
  none: 'not yet',
}

function FactsCard({ facts, at }: { facts: DeviceDetails['facts']; at: string | null }) {
  const [filter, setFilter] = useState('')
  const lines = Object.entries(facts)
    .filter(([name]) => name.includes(filter))
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([name, value]) => ({ key: name, value: factText(name, value) }))
  return (
    <SectionCard
      title="Facts"
      hint={
        at === null ? (
          'The device has told none yet'
        ) : (
          <>
            as it told <RelativeTime at={at} />
          </>
        )
      }
    >
      <TextInput
        size="xs"
        mb={8}
        value={filter}
        onChange={(event) => setFilter(event.currentTarget.value.trim())}
        placeholder="Part of a name"
        aria-label="Filter facts"
      />
      {lines.length === 0 ? <EmptyState>No fact of this name.</EmptyState> : <KeyValue lines={lines} />}
    </SectionCard>
  )
}

/** Sizes as people read them; everything else as the device said it. */
function factText(name: string, value: string | number | boolean): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return typeof value === 'number' && name.endsWith('.bytes') ? formatBytes(value) : String(value)
}

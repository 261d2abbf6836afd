import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { TextInput } from '@mantine/core'
import styles from './DevicePage.module.css'
import { DeviceTimeline } from './DeviceTimeline.tsx'
import { deviceQuery, type DeviceDetails, type InstalledPackage } from './device-source.ts'
import { client, orpc, type Client } from '#/api/client.ts'
import { AppLink } from '#/ui/AppLink.tsx'
import { DigestText } from '#/ui/DigestText.tsx'
import { EmptyState } from '#/ui/EmptyState.tsx'
import { KeyValue } from '#/ui/KeyValue.tsx'
import { Loading } from '#/ui/Loading.tsx'
import { Page } from '#/ui/Page.tsx'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'
import { RelativeTime } from '#/ui/RelativeTime.tsx'
import { SectionCard } from '#/ui/SectionCard.tsx'
import { StateTag } from '#/ui/StateTag.tsx'
import { formatBytes, formatMoment } from '#/ui/format.ts'
import { KeysetTable } from '#/ui/table/KeysetTable.tsx'
import { ListTable, type ListColumn } from '#/ui/table/ListTable.tsx'
import { useKeysetList } from '#/ui/use-keyset-list.ts'

type JobRow = Awaited<ReturnType<Client['deliver']['job']['ofDevice']>>['items'][number]

const jobRows = 20

/** What does this device run, why, and what does it wait for? */
export function DevicePage() {
  const { deviceId } = useParams({ from: '/shell/fleet/$deviceId' })
  const device = useQuery(deviceQuery(deviceId))
  return (
    <Page
      title={device.data?.name ?? 'Device'}
      note={device.data === undefined ? undefined : <StateTag machine="device" state={device.data.state} />}
      actions={<AppLink to="/fleet">All devices</AppLink>}
    >
      {device.error === null ? null : (
        <ProblemAlert
          title="This device could not be loaded"
          error={device.error}
          onRetry={() => void device.refetch()}
        />
      )}
      {device.isPending ? <Loading what="the device" lines={10} /> : null}
      {device.data === undefined ? null : (
        <div className={styles.grid}>
          <div className={styles.column}>
            <JobsCard deviceId={deviceId} />
            <RunsCard packages={device.data.packages} />
            <DeviceTimeline deviceId={deviceId} />
          </div>
          <aside className={styles.column} aria-label="About this device">
            <AboutCard device={device.data} />
            <FactsCard facts={device.data.facts} />
          </aside>
        </div>
      )}
    </Page>
  )
}

function JobsCard({ deviceId }: { deviceId: string }) {
  const list = useKeysetList([...orpc.deliver.job.key(), 'of-device', deviceId], (after, signal) =>
    client.deliver.job.ofDevice({ deviceId, limit: jobRows, ...after }, { signal }),
  )
  return (
    <SectionCard title="Jobs" hint="What it was asked to do, what came of it, what it waits for">
      <KeysetTable
        label="Jobs"
        list={list}
        idOf={(job) => job.job}
        columns={jobColumns}
        empty={<EmptyState>Nothing was asked of this device yet.</EmptyState>}
      />
    </SectionCard>
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
  { header: 'What holds it', cell: (job) => job.sentence ?? '' },
  { header: 'Goes on when', isMinor: true, cell: (job) => job.wakesOn ?? '' },
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

function AboutCard({ device }: { device: DeviceDetails }) {
  return (
    <SectionCard title="About">
      <KeyValue
        lines={[
          { key: 'System', value: device.os },
          { key: 'Site', value: device.site ?? 'not set' },
          { key: 'Org unit', value: device.orgUnit ?? 'not set' },
          { key: 'Roles', value: device.roles.length === 0 ? 'none' : device.roles.join(', ') },
          { key: 'Free disk', value: device.freeDiskBytes === null ? 'not told' : formatBytes(device.freeDiskBytes) },
          { key: 'Agent', value: device.agentVersion },
          { key: 'Last seen', value: device.lastSeenAt === null ? 'never' : <RelativeTime at={device.lastSeenAt} /> },
          { key: 'Enrolled', value: formatMoment(device.enrolledAt) },
          { key: 'Key', value: <DigestText digest={device.publicKey} /> },
          { key: 'Assignment', value: `generation ${device.generation}` },
        ]}
      />
    </SectionCard>
  )
}

function FactsCard({ facts }: { facts: DeviceDetails['facts'] }) {
  const [filter, setFilter] = useState('')
  const lines = Object.entries(facts)
    .filter(([name]) => name.includes(filter))
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([name, value]) => ({ key: name, value: String(value) }))
  return (
    <SectionCard title="Facts" hint="As the device told them">
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

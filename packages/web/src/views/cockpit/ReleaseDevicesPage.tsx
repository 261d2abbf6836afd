import { ActionIcon, Button, Checkbox } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconUserMinus } from '@tabler/icons-react'
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import styles from './ReleaseDevicesPage.module.css'
import { client, orpc, type Client } from '#/api/client.ts'
import { useCan } from '#/api/session.ts'
import { ReasonDialog } from '#/ui/ConfirmDialog.tsx'
import { EmptyState } from '#/ui/EmptyState.tsx'
import { Loading } from '#/ui/Loading.tsx'
import { Page } from '#/ui/Page.tsx'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'
import { RelativeTime } from '#/ui/RelativeTime.tsx'
import { StateTag } from '#/ui/StateTag.tsx'
import { countOf } from '#/ui/format.ts'
import { statesOf, stateLook } from '#/ui/states.ts'
import { ListTable, type ListColumn } from '#/ui/table/ListTable.tsx'
import { AppLink } from '#/ui/AppLink.tsx'

type JobRow = Awaited<ReturnType<Client['deliver']['job']['list']>>['items'][number]
type JobState = JobRow['state']

const pageRows = 100

/** The devices of one rollout that have acted, with what holds them. */
export function ReleaseDevicesPage() {
  const { releaseId } = useParams({ from: '/shell/releases/$releaseId/devices' })
  const { state, cause } = useSearch({ from: '/shell/releases/$releaseId/devices' })
  const navigate = useNavigate()
  const release = useQuery(orpc.plan.release.get.queryOptions({ input: { releaseId } }))
  const jobs = useInfiniteQuery({
    queryKey: [...orpc.deliver.job.key(), 'list', releaseId, state ?? '', cause ?? ''],
    queryFn: ({ pageParam, signal }) =>
      client.deliver.job.list(
        {
          releaseId,
          limit: pageRows,
          ...(state === undefined ? {} : { state: state as JobState }),
          ...(cause === undefined ? {} : { cause }),
          ...(pageParam === '' ? {} : { after: pageParam }),
        },
        { signal },
      ),
    initialPageParam: '',
    getNextPageParam: (last) => last.next,
  })
  const rows = jobs.data?.pages.flatMap((page) => page.items) ?? []
  const title = release.data === undefined ? 'Devices' : `Devices of ${release.data.title} ${release.data.version}`
  return (
    <Page
      title={title}
      trail={
        <AppLink to="/releases/$releaseId" params={{ releaseId }}>
          Cockpit
        </AppLink>
      }
    >
      <div className={styles.crumbs}>
        {cause === undefined ? null : (
          <span>
            Only cause <b>{cause}</b>{' '}
            <AppLink to="/releases/$releaseId/devices" params={{ releaseId }}>
              Show all
            </AppLink>
          </span>
        )}
        <label>
          State{' '}
          <select
            value={state ?? ''}
            onChange={(event) =>
              void navigate({
                to: '/releases/$releaseId/devices',
                params: { releaseId },
                search: event.target.value === '' ? {} : { state: event.target.value },
              })
            }
          >
            <option value="">All</option>
            {statesOf('job').map((each) => (
              <option key={each} value={each}>
                {stateLook('job', each).word}
              </option>
            ))}
          </select>
        </label>
      </div>
      {jobs.error === null ? null : (
        <ProblemAlert title="The devices could not be loaded" error={jobs.error} onRetry={() => void jobs.refetch()} />
      )}
      {jobs.isPending ? <Loading what="devices" lines={8} /> : null}
      {jobs.data !== undefined && rows.length === 0 ? (
        <EmptyState>
          {state === undefined && cause === undefined
            ? 'No device has acted yet. They appear here from their first check-in after the phase opens.'
            : 'No device matches this filter.'}
        </EmptyState>
      ) : null}
      {rows.length === 0 ? null : (
        <JobTable
          releaseId={releaseId}
          rows={rows}
          hasMore={jobs.hasNextPage}
          isLoadingMore={jobs.isFetchingNextPage}
          onMore={() => void jobs.fetchNextPage()}
        />
      )}
    </Page>
  )
}

interface JobTableProps {
  releaseId: string
  rows: readonly JobRow[]
  hasMore: boolean
  isLoadingMore: boolean
  onMore: () => void
}

function JobTable({ releaseId, ...list }: JobTableProps) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const [excused, setExcused] = useState<JobRow | null>(null)
  const acts = useJobActs()
  const canRetry = useCan('job.retry')
  function toggle(id: string) {
    const next = new Set(chosen)
    if (!next.delete(id)) next.add(id)
    setChosen(next)
  }
  const columns = canRetry ? [chooseColumn(chosen, toggle), ...jobColumns, excuseColumn(setExcused)] : jobColumns
  return (
    <>
      {chosen.size === 0 ? null : (
        <output className={styles.selection}>
          <b className="num">{countOf(chosen.size, 'device')}</b> chosen
          <Button
            variant="default"
            loading={acts.retry.isPending}
            onClick={() =>
              acts.retry.mutate({ releaseId, devices: [...chosen] }, { onSuccess: () => setChosen(new Set()) })
            }
          >
            Retry
          </Button>
        </output>
      )}
      {acts.retry.error === null ? null : <ProblemAlert title="Nothing was retried" error={acts.retry.error} />}
      <ListTable
        label="Devices of this release"
        columns={columns}
        idOf={(row) => `${row.deviceId} ${row.job}`}
        {...list}
      />
      <ReasonDialog
        isOpen={excused !== null}
        onClose={() => setExcused(null)}
        title={`Excuse ${excused?.device ?? ''}`}
        verb="Excuse device"
        effect="The device is left out of the count of its phase. It keeps what it has."
        error={acts.excuse.error}
        isBusy={acts.excuse.isPending}
        onConfirm={(reason) => {
          if (excused === null) return
          acts.excuse.mutate({ releaseId, device: excused.deviceId, reason }, { onSuccess: () => setExcused(null) })
        }}
      />
    </>
  )
}

const jobColumns: ListColumn<JobRow>[] = [
  {
    header: 'Device',
    cell: (row) => (
      <Link to="/fleet/$deviceId" params={{ deviceId: row.deviceId }} className="mono">
        {row.device}
      </Link>
    ),
  },
  { header: 'State', cell: (row) => <StateTag machine="job" state={row.state} /> },
  { header: 'Phase', isNumber: true, isMinor: true, cell: (row) => row.phase },
  { header: 'What holds it', cell: (row) => row.sentence ?? '' },
  { header: 'Goes on when', isMinor: true, cell: (row) => row.wakesOn ?? '' },
  { header: 'Attempt', isNumber: true, isMinor: true, cell: (row) => row.attempt },
  { header: 'Since', isNumber: true, isMinor: true, cell: (row) => <RelativeTime at={row.since} /> },
]

function chooseColumn(chosen: ReadonlySet<string>, toggle: (id: string) => void): ListColumn<JobRow> {
  return {
    header: 'Choose',
    isQuiet: true,
    cell: (row) => (
      <Checkbox
        size="xs"
        aria-label={`Choose ${row.device}`}
        checked={chosen.has(row.deviceId)}
        onChange={() => toggle(row.deviceId)}
      />
    ),
  }
}

function excuseColumn(excuse: (row: JobRow) => void): ListColumn<JobRow> {
  return {
    header: 'Actions',
    isQuiet: true,
    cell: (row) => (
      <ActionIcon
        variant="subtle"
        color="gray"
        size={24}
        aria-label={`Excuse ${row.device}`}
        title={`Excuse ${row.device}`}
        onClick={() => excuse(row)}
      >
        <IconUserMinus size={15} />
      </ActionIcon>
    ),
  }
}

function useJobActs() {
  const queries = useQueryClient()
  async function refresh() {
    await Promise.all([
      queries.invalidateQueries({ queryKey: orpc.deliver.job.key() }),
      queries.invalidateQueries({ queryKey: orpc.deliver.rollout.key() }),
    ])
  }
  return {
    retry: useMutation(
      orpc.deliver.job.retry.mutationOptions({
        onSuccess: async ({ retried }) => {
          notifications.show({ message: `${countOf(retried, 'device')} got a new job.` })
          await refresh()
        },
      }),
    ),
    excuse: useMutation(orpc.deliver.job.excuse.mutationOptions({ onSuccess: refresh })),
  }
}

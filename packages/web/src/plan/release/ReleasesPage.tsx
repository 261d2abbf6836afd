import { Chip, Group, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { IconPlus, IconSearch } from '@tabler/icons-react'
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { ReleaseTable, type ReleaseRow } from './ReleaseTable.tsx'
import styles from './ReleasesPage.module.css'
import { client, orpc } from '#/api/client.ts'
import { useCan } from '#/api/session.ts'
import { EmptyState } from '#/ui/EmptyState.tsx'
import { Loading } from '#/ui/Loading.tsx'
import { Page } from '#/ui/Page.tsx'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'
import { stateLook } from '#/ui/states.ts'
import { LinkButton } from '#/ui/AppLink.tsx'

const pageRows = 50
const searchDelayMs = 150
const offeredStates = ['draft', 'planned', 'rolling-out', 'early-life', 'backed-out', 'closed'] as const

/** Where does every release stand? */
export function ReleasesPage() {
  const { search, state } = useSearch({ from: '/shell/releases' })
  const canPlan = useCan('release.write')
  const releases = useReleases(search, state)
  const rows = releases.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <Page
      title="Releases"
      actions={
        canPlan ? (
          <LinkButton to="/releases/new" leftSection={<IconPlus size={15} />}>
            New release
          </LinkButton>
        ) : undefined
      }
    >
      <Filter search={search} state={state} />
      {releases.error === null ? null : (
        <ProblemAlert
          title="Releases could not be loaded"
          error={releases.error}
          onRetry={() => void releases.refetch()}
        />
      )}
      {releases.isPending ? <Loading what="releases" lines={8} /> : null}
      {releases.data !== undefined && rows.length === 0 ? (
        <Nothing isFiltered={(search ?? state) !== undefined} canPlan={canPlan} />
      ) : null}
      {rows.length === 0 ? null : (
        <ReleaseTable
          label="Releases"
          rows={rows}
          hasMore={releases.hasNextPage}
          isLoadingMore={releases.isFetchingNextPage}
          onMore={() => void releases.fetchNextPage()}
        />
      )}
    </Page>
  )
}

function useReleases(search: string | undefined, state: string | undefined) {
  return useInfiniteQuery({
    queryKey: [...orpc.plan.release.key(), 'list', search ?? '', state ?? ''],
    queryFn: ({ pageParam, signal }) =>
      client.plan.release.list(
        {
          limit: pageRows,
          ...(search === undefined ? {} : { search }),
          ...(state === undefined ? {} : { state: state as ReleaseRow['state'] }),
          ...(pageParam === '' ? {} : { after: pageParam }),
        },
        { signal },
      ),
    initialPageParam: '',
    getNextPageParam: (last) => last.next,
    placeholderData: keepPreviousData,
  })
}

function Filter({ search, state }: { search: string | undefined; state: string | undefined }) {
  const navigate = useNavigate()
  function show(change: { search?: string; state?: string }) {
    void navigate({ to: '/releases', search: change, replace: true })
  }
  const showSearch = useDebouncedCallback((text: string) => {
    show({ ...(text === '' ? {} : { search: text }), ...(state === undefined ? {} : { state }) })
  }, searchDelayMs)
  return (
    <div className={styles.filter}>
      <TextInput
        size="xs"
        w={{ base: '100%', xs: 300 }}
        maw="100%"
        defaultValue={search ?? ''}
        onChange={(event) => showSearch(event.currentTarget.value)}
        leftSection={<IconSearch size={14} aria-hidden />}
        placeholder="Name, version or product line"
        aria-label="Search releases"
      />
      <Chip.Group
        value={state ?? ''}
        onChange={(next) =>
          show({ ...(search === undefined ? {} : { search }), ...(next === '' ? {} : { state: next }) })
        }
      >
        <Group gap={6}>
          <Chip value="" size="xs" radius={6} variant="outline">
            All
          </Chip>
          {offeredStates.map((each) => (
            <Chip key={each} value={each} size="xs" radius={6} variant="outline">
              {stateLook('release', each).word}
            </Chip>
          ))}
        </Group>
      </Chip.Group>
    </div>
  )
}

function Nothing({ isFiltered, canPlan }: { isFiltered: boolean; canPlan: boolean }) {
  if (isFiltered) {
    return (
      <EmptyState
        action={
          <LinkButton variant="default" to="/releases" search={{}}>
            Clear filter
          </LinkButton>
        }
      >
        No release matches this filter.
      </EmptyState>
    )
  }
  if (!canPlan) {
    return (
      <EmptyState
        action={
          <LinkButton variant="default" to="/settings/$section" params={{ section: 'roles' }}>
            Who is release manager
          </LinkButton>
        }
      >
        No release yet. A release manager plans the first one; it stands here from then on.
      </EmptyState>
    )
  }
  return (
    <EmptyState
      action={
        <LinkButton variant="default" to="/library">
          Open Library
        </LinkButton>
      }
    >
      No release yet. A release carries packages to devices, phase by phase: see that the library has the package, then
      plan the release here.
    </EmptyState>
  )
}

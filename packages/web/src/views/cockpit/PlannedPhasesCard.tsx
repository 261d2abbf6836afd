import { useQuery } from '@tanstack/react-query'
import { isFrozen, type Release } from './cockpit-view.ts'
import { orpc } from '#/api/client.ts'
import { useCan } from '#/api/session.ts'
import { AppLink } from '#/ui/AppLink.tsx'
import { Loading } from '#/ui/Loading.tsx'
import { PhaseRing } from '#/ui/PhaseRing.tsx'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'
import { SectionCard } from '#/ui/SectionCard.tsx'
import { countOf, formatCount, formatDuration } from '#/ui/format.ts'
import { ListTable, type ListColumn } from '#/ui/table/ListTable.tsx'

/** The phases of a release that has not started, with the devices each would reach as the fleet is now. */
export function PlannedPhasesCard({ release }: { release: Release }) {
  const { audience, phases } = release
  const canPlan = useCan('release.write') && release.state !== 'cancelled' && !isFrozen(release)
  const preview = useQuery(orpc.plan.release.preview.queryOptions({ input: { audience, phases } }))
  const rows = phases.map((phase, index) => ({
    ...phase,
    order: index + 1,
    devices: preview.data?.phases[index]?.devices,
  }))
  return (
    <SectionCard
      title="Phases"
      actions={
        canPlan ? (
          <AppLink to="/releases/$releaseId/edit" params={{ releaseId: release.id }} fz={12.5}>
            Change plan
          </AppLink>
        ) : undefined
      }
      hint={preview.data === undefined ? undefined : reachWords(preview.data.audience, isFrozen(release))}
    >
      {preview.error === null ? null : (
        <ProblemAlert
          title="The audience could not be counted"
          error={preview.error}
          onRetry={() => void preview.refetch()}
        />
      )}
      {preview.isPending ? <Loading what="the audience" lines={3} /> : null}
      {preview.data !== undefined && preview.data.unplaced > 0 ? (
        <ProblemAlert
          title="The release cannot start like this"
          error={{
            kind: 'refused',
            what: `${countOf(preview.data.unplaced, 'device')} of the audience belong to no phase`,
            next: 'Change the plan so that the last phase takes everybody who is left.',
          }}
        />
      ) : null}
      <ListTable
        label="Planned phases"
        rows={rows}
        idOf={(row) => String(row.order)}
        columns={plannedColumns(rows.length)}
      />
    </SectionCard>
  )
}

/** What was frozen for the board stands in its case; here the fleet is counted as it is now. */
function reachWords(devices: number, isAsked: boolean): string {
  const now = `Would reach ${countOf(devices, 'device')} now`
  return isAsked ? `${now}; what was frozen stands in the case` : now
}

interface PlannedRow {
  order: number
  name: string
  query: string
  devices: number | undefined
  advanceAtPermille: number
  failureBudget: number
  soakSeconds: number
}

function plannedColumns(of: number): ListColumn<PlannedRow>[] {
  return [
    {
      header: 'Audience',
      cell: (row) => (
        <span style={{ display: 'inline-flex', gap: 10, alignItems: 'center' }}>
          <PhaseRing order={row.order} of={of} state="waiting" />
          <b>
            {row.order}. {row.name}
          </b>
        </span>
      ),
    },
    {
      header: 'Query',
      isMinor: true,
      cell: (row) => <span className="mono">{row.query === '' ? 'everybody left' : row.query}</span>,
    },
    {
      header: 'Devices',
      isNumber: true,
      cell: (row) => (row.devices === undefined ? '–' : formatCount(row.devices)),
    },
    { header: 'Advance at', isNumber: true, cell: (row) => `${row.advanceAtPermille / 10} %` },
    { header: 'Failures allowed', isNumber: true, isMinor: true, cell: (row) => formatCount(row.failureBudget) },
    {
      header: 'Soak',
      isNumber: true,
      isMinor: true,
      cell: (row) => (row.soakSeconds === 0 ? 'none' : formatDuration(row.soakSeconds)),
    },
  ]
}

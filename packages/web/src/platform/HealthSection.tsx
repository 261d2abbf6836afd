import { useQuery } from '@tanstack/react-query'
import { IconAlertTriangle, IconCircleCheck } from '@tabler/icons-react'
import { sessionQuery } from '#/api/session.ts'
import { SettingsSection } from '#/estate/settings/SettingsSection.tsx'
import { KeyValue } from '#/ui/KeyValue.tsx'
import { Loading } from '#/ui/Loading.tsx'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'
import { SectionCard } from '#/ui/SectionCard.tsx'
import { Tag } from '#/ui/StateTag.tsx'
import { formatExact } from '#/ui/format.ts'

interface HealthReport {
  ready: boolean
  checks: { name: string; ok: boolean; problem?: string }[]
}

const againMs = 15_000

async function loadHealth(signal: AbortSignal): Promise<HealthReport> {
  const answer = await fetch('/readyz', { signal, headers: { accept: 'application/json' } })
  // A server that is not ready says so with 503 and the same report.
  if (!answer.ok && answer.status !== 503) throw new Error(`The server answered ${answer.status} when asked how it is`)
  return (await answer.json()) as HealthReport
}

/** What the server needs to work, each with its answer of now. */
export function HealthSection() {
  const session = useQuery(sessionQuery).data
  const health = useQuery({
    queryKey: ['health'],
    queryFn: ({ signal }) => loadHealth(signal),
    refetchInterval: againMs,
  })
  return (
    <SettingsSection title="Health" lead="What the server cannot work without. Monitoring asks the same at /readyz.">
      {health.error === null ? null : (
        <ProblemAlert
          title="The server could not say how it is"
          error={health.error}
          onRetry={() => void health.refetch()}
        />
      )}
      {health.isPending ? <Loading what="health" lines={3} /> : null}
      {health.data === undefined ? null : (
        <SectionCard title={health.data.ready ? 'Ready' : 'Not ready'}>
          <KeyValue
            lines={health.data.checks.map((check) => ({
              key: check.name,
              value: check.ok ? (
                <Tag hue="go" icon={IconCircleCheck} label="Works" />
              ) : (
                <>
                  <Tag hue="fail" icon={IconAlertTriangle} label="Does not work" /> {check.problem}
                </>
              ),
            }))}
          />
        </SectionCard>
      )}
      {session === undefined || session === null ? null : (
        <SectionCard title="This server">
          <KeyValue
            lines={[
              { key: 'Environment', value: session.server.environment },
              { key: 'Epoch', value: <span className="mono">{session.server.epoch}</span> },
              { key: 'Time of the server', value: formatExact(session.server.now) },
            ]}
          />
        </SectionCard>
      )}
    </SettingsSection>
  )
}

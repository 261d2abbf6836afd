import { Button } from '@mantine/core'
import { IconShieldCheck } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { useSearch } from '@tanstack/react-router'
import styles from './LedgerSection.module.css'
import { client, orpc, type Client } from '#/api/client.ts'
import { SettingsSection } from '#/estate/settings/SettingsSection.tsx'
import { AppLink } from '#/ui/AppLink.tsx'
import { EmptyState } from '#/ui/EmptyState.tsx'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'
import { RelativeTime } from '#/ui/RelativeTime.tsx'
import { factSentence } from '#/ui/fact-sentence.ts'
import { countOf } from '#/ui/format.ts'
import { KeysetTable } from '#/ui/table/KeysetTable.tsx'
import type { ListColumn } from '#/ui/table/ListTable.tsx'
import { useKeysetList } from '#/ui/use-keyset-list.ts'

type Fact = Awaited<ReturnType<Client['platform']['ledger']['list']>>['items'][number]
type Verdict = Awaited<ReturnType<Client['platform']['ledger']['verify']>>

const pageRows = 100

/** Who did what, when, on what; sealed so that a change behind its back shows. */
export function LedgerSection() {
  const check = useMutation({ mutationFn: () => client.platform.ledger.verify() })
  const { release } = useSearch({ strict: false })
  const list = useKeysetList([...orpc.platform.ledger.key(), 'list', release ?? ''], (after, signal) =>
    client.platform.ledger.list(
      { limit: pageRows, ...(release === undefined ? {} : { releaseId: release }), ...after },
      { signal },
    ),
  )
  return (
    <SettingsSection
      title="Ledger"
      lead="Every change and who made it, newest first. Facts are sealed in batches, each seal over the one before."
      actions={
        <Button
          variant="default"
          leftSection={<IconShieldCheck size={15} />}
          loading={check.isPending}
          onClick={() => check.mutate()}
        >
          Check every seal
        </Button>
      }
    >
      {check.error === null ? null : <ProblemAlert title="The ledger was not checked" error={check.error} />}
      {check.data === undefined ? null : <VerdictLine verdict={check.data} />}
      {release === undefined ? null : (
        <p>
          Only facts of{' '}
          <AppLink to="/releases/$releaseId" params={{ releaseId: release }}>
            {release}
          </AppLink>
          .{' '}
          <AppLink to="/settings/$section" params={{ section: 'ledger' }}>
            Show all
          </AppLink>
        </p>
      )}
      <KeysetTable
        label="Facts"
        list={list}
        idOf={(fact) => String(fact.id)}
        columns={columns}
        empty={<EmptyState>Nothing has been done yet.</EmptyState>}
      />
    </SettingsSection>
  )
}

function VerdictLine({ verdict }: { verdict: Verdict }) {
  if (!verdict.intact) {
    const [first] = verdict.problems
    return (
      <ProblemAlert
        title="The ledger is not what was sealed"
        error={{
          kind: 'broken',
          what: `Seal ${first?.seal ?? ''}: ${first?.problem ?? ''}`,
          next: 'Compare with a backup. Nothing was changed by this check.',
        }}
      />
    )
  }
  return (
    <output className={styles.intact}>
      Intact: {countOf(verdict.facts, 'fact')} under {countOf(verdict.seals, 'seal')},{' '}
      {countOf(verdict.unsealed, 'fact')} not sealed yet.
    </output>
  )
}

const columns: ListColumn<Fact>[] = [
  { header: 'When', cell: (fact) => <RelativeTime at={fact.at} /> },
  { header: 'What', cell: (fact) => factSentence(fact) },
  {
    header: 'On',
    isMinor: true,
    cell: (fact) => (
      <span title={fact.subject.id}>
        {fact.subject.kind.replaceAll('-', ' ')} <SubjectLink fact={fact} />
      </span>
    ),
  },
]

/** The thing a fact is about, where it has a page of its own. */
function SubjectLink({ fact: { subject, releaseId } }: { fact: Fact }) {
  if (subject.kind === 'device') {
    return (
      <AppLink to="/fleet/$deviceId" params={{ deviceId: subject.id }}>
        open
      </AppLink>
    )
  }
  if (releaseId === null) return null
  return (
    <AppLink to="/releases/$releaseId" params={{ releaseId }}>
      {releaseId}
    </AppLink>
  )
}

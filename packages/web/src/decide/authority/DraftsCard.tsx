import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import styles from './DraftsCard.module.css'
import { useMyKeys } from '../key/use-my-keys.ts'
import { SignDialog } from '../sign/SignDialog.tsx'
import { keysThatCount, missingIn, namesText, type Draft } from '../sign/draft.ts'
import { orpc } from '#/api/client.ts'
import { useCan } from '#/api/session.ts'
import { AppLink } from '#/ui/AppLink.tsx'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'
import { SectionCard } from '#/ui/SectionCard.tsx'
import { StateTag } from '#/ui/StateTag.tsx'
import { formatMoment } from '#/ui/format.ts'
import { useFreshness } from '#/ui/use-freshness.ts'

/** Documents that wait for signatures: decisions of boards, changes of boards, ceremonies. */
export function DraftsCard() {
  const signing = useQuery(orpc.decide.draft.list.queryOptions({ input: { state: 'signing' } }))
  const queued = useQuery(orpc.decide.draft.list.queryOptions({ input: { state: 'queued' } }))
  const [open, setOpen] = useState<string | null>(null)
  const drafts = [...(signing.data?.items ?? []), ...(queued.data?.items ?? [])]
  const opened = drafts.find(({ id }) => id === open)
  if (signing.error !== null) {
    return (
      <ProblemAlert
        title="The drafts could not be loaded"
        error={signing.error}
        onRetry={() => void signing.refetch()}
      />
    )
  }
  if (drafts.length === 0) return null
  return (
    <SectionCard title="Drafts that wait" tone="gate">
      <ul className={styles.drafts}>
        {drafts.map((draft) => (
          <DraftLine key={draft.id} draft={draft} onSign={() => setOpen(draft.id)} />
        ))}
      </ul>
      {opened === undefined ? null : (
        <SignDialog
          draft={opened}
          title={opened.title}
          command={`bascule sign ${opened.caseId ?? opened.id}`}
          onClose={() => setOpen(null)}
        />
      )}
    </SectionCard>
  )
}

function DraftLine({ draft, onSign }: { draft: Draft; onSign: () => void }) {
  const canSign = useCan('board.vote')
  const freshness = useFreshness()
  const { keys } = useMyKeys()
  const isMyTurn = canSign && keysThatCount(draft, keys).length > 0
  return (
    <li>
      <div>
        <b>{draft.title}</b> <StateTag machine="draft" state={draft.state} />
        {draft.caseId === null ? null : (
          <AppLink to="/cases/$caseId" params={{ caseId: draft.caseId }}>
            {draft.caseId}
          </AppLink>
        )}
      </div>
      <div className="dim">
        {draft.documents.map((document) => (
          <p key={document.role}>
            <span className="mono">{document.role}</span>: {document.signatures.length} of {document.threshold}
            {missingIn(document).length === 0 ? '' : `, not signed yet: ${namesText(missingIn(document))}`}
          </p>
        ))}
        <p>
          Proposed by {draft.proposedBy}, {formatMoment(draft.proposedAt)}
        </p>
      </div>
      {draft.refusal === null ? null : (
        <ProblemAlert
          title="The signer did not publish it"
          error={{
            kind: 'refused',
            what: draft.refusal.fact,
            rule: draft.refusal.rule,
            lifter: draft.refusal.lifter,
            next: draft.refusal.next,
          }}
        />
      )}
      {isMyTurn ? (
        <Button {...freshness} onClick={onSign}>
          Sign…
        </Button>
      ) : null}
    </li>
  )
}

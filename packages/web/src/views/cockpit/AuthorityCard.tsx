import { useQuery } from '@tanstack/react-query'
import { IconShieldCheck } from '@tabler/icons-react'
import type { Release, Rollout } from './cockpit-view.ts'
import styles from './AuthorityCard.module.css'
import { orpc } from '#/api/client.ts'
import { useCan } from '#/api/session.ts'
import { isOpen, kindText, missingNames, type Case, type CaseRow } from '#/decide/case/case-view.ts'
import { namesText } from '#/decide/sign/draft.ts'
import { AppLink } from '#/ui/AppLink.tsx'
import { KeyLevelMark } from '#/ui/KeyLevelMark.tsx'
import { Loading } from '#/ui/Loading.tsx'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'
import { QuorumBar } from '#/ui/QuorumBar.tsx'
import { SectionCard } from '#/ui/SectionCard.tsx'
import { StateTag } from '#/ui/StateTag.tsx'
import { formatMoment } from '#/ui/format.ts'

/** Who allowed this, or who is asked. */
export function AuthorityCard({ release, rollout }: { release: Release; rollout: Rollout | undefined }) {
  const canRead = useCan('board.read')
  const cases = useQuery({
    ...orpc.decide.case.list.queryOptions({ input: { releaseId: release.id } }),
    enabled: canRead,
  })
  const [newest, ...earlier] = cases.data?.items ?? []
  return (
    <SectionCard
      title="Authority"
      actions={newest === undefined ? undefined : <StateTag machine="case" state={newest.state} />}
    >
      {cases.error === null ? null : (
        <ProblemAlert
          title="The decision could not be loaded"
          error={cases.error}
          onRetry={() => void cases.refetch()}
        />
      )}
      {canRead && cases.isPending ? <Loading what="the decision" lines={2} /> : null}
      {newest === undefined && !(canRead && cases.isPending) ? (
        <p className={styles.words}>
          {rollout?.authority ??
            'Not decided. Devices take this release only after its board has signed it; ask the board when the plan is ready.'}
        </p>
      ) : null}
      {newest === undefined ? null : <CaseState row={newest} />}
      {earlier.length === 0 ? null : (
        <ul className={styles.earlier}>
          {earlier.map((row) => (
            <li key={row.id}>
              <AppLink to="/cases/$caseId" params={{ caseId: row.id }}>
                {kindText(row.kind)}
              </AppLink>
              <StateTag machine="case" state={row.state} />
            </li>
          ))}
        </ul>
      )}
    </SectionCard>
  )
}

function CaseState({ row }: { row: CaseRow }) {
  const found = useQuery(orpc.decide.case.get.queryOptions({ input: { caseId: row.id } }))
  return (
    <>
      <p className={styles.words}>
        <AppLink to="/cases/$caseId" params={{ caseId: row.id }}>
          {kindText(row.kind)}, {row.id}
        </AppLink>
        , asked by {row.askedBy}, {formatMoment(row.askedAt)}
      </p>
      <div className={styles.quorum}>
        <QuorumBar signed={row.signatures} needed={row.threshold} />
        <span className="num">
          {row.signatures} of {row.threshold} signed
        </span>
      </div>
      {found.data === undefined ? null : <Signers found={found.data} />}
    </>
  )
}

function Signers({ found }: { found: Case }) {
  const signers = found.votes.filter(({ said }) => said === 'go')
  const missing = isOpen(found) ? missingNames(found.votes) : []
  return (
    <>
      <ul className={styles.signers}>
        {signers.map(({ keyId, name, level, at }) => (
          <li key={keyId}>
            <span>{name}</span>
            <KeyLevelMark level={level} />
            <span className="dim num">{at === null ? '' : formatMoment(at)}</span>
          </li>
        ))}
      </ul>
      {missing.length === 0 ? null : (
        <p className={styles.later}>
          <IconShieldCheck size={14} aria-hidden />
          Nothing yet from {namesText(missing)}.
        </p>
      )}
    </>
  )
}

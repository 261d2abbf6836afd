import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import styles from './CasePage.module.css'
import { AfterCard } from './AfterCard.tsx'
import { AskedCard } from './AskedCard.tsx'
import { ChangesCard } from './ChangesCard.tsx'
import { DecideCard } from './DecideCard.tsx'
import { SignedCard } from './SignedCard.tsx'
import { isOpen, kindText, type Case } from './case-view.ts'
import { useLive } from '#/api/live.ts'
import { orpc } from '#/api/client.ts'
import { AppLink } from '#/ui/AppLink.tsx'
import { LiveMark } from '#/ui/LiveMark.tsx'
import { Loading } from '#/ui/Loading.tsx'
import { Page, useTitle } from '#/ui/Page.tsx'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'
import { StateTag } from '#/ui/StateTag.tsx'
import { formatMoment } from '#/ui/format.ts'

/** What is asked of me, and what does my signature do? */
export function CasePage() {
  const { caseId } = useParams({ from: '/shell/cases/$caseId' })
  const found = useQuery(orpc.decide.case.get.queryOptions({ input: { caseId } }))
  if (found.data !== undefined) return <CaseContent found={found.data} />
  return (
    <Page title="Case" trail={<AppLink to="/boards">Board</AppLink>}>
      {found.error === null ? (
        <Loading what="the case" lines={10} />
      ) : (
        <ProblemAlert title="This case could not be loaded" error={found.error} onRetry={() => void found.refetch()} />
      )}
    </Page>
  )
}

function CaseContent({ found }: { found: Case }) {
  const live = useLive()
  useTitle(`${found.id} ${found.title} ${found.version}`)
  return (
    <div className={styles.page}>
      <header className={styles.head}>
        <nav aria-label="Breadcrumb" className={styles.crumbs}>
          <AppLink to="/boards" c="dimmed" fz={12}>
            Board
          </AppLink>
          <span aria-hidden>/</span>
          <AppLink to="/boards/$board" params={{ board: found.board }} c="dimmed" fz={12}>
            {found.board}
          </AppLink>
          <span aria-hidden>/</span>
          <span className="mono">{found.id}</span>
        </nav>
        <div className={styles.title}>
          <h1>
            {found.title} <span>{found.version}</span>
          </h1>
          <StateTag
            machine="case"
            state={found.state}
            label={isOpen(found) ? `${kindText(found.kind)}, ${found.signatures} of ${found.threshold}` : undefined}
            large
          />
        </div>
        <div className={styles.facts}>
          <span>
            asked by {found.askedBy}, {formatMoment(found.askedAt)}
          </span>
          <AppLink to="/releases/$releaseId" params={{ releaseId: found.releaseId }} c="inherit">
            {found.releaseId}
          </AppLink>
          <span>{found.productLine}</span>
          <span>
            <LiveMark state={live} />
          </span>
        </div>
      </header>
      <div className={styles.grid}>
        <div className={styles.asked}>
          {found.devicesMayNow.length === 0 ? null : <AfterCard found={found} />}
          <AskedCard found={found} />
        </div>
        <aside className={styles.decide} aria-label="Decision">
          <DecideCard found={found} />
        </aside>
        <div className={styles.rest}>
          <ChangesCard found={found} />
          {found.draft === null ? null : <SignedCard draft={found.draft} />}
        </div>
      </div>
    </div>
  )
}

import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import styles from './BoardPage.module.css'
import { quorumText, sizeText, type Board } from './board-view.ts'
import { NoAuthority } from '../authority/NoAuthority.tsx'
import { CaseTable } from '../case/CaseTable.tsx'
import { MyKeysCard } from '../key/MyKeysCard.tsx'
import { useWaitingCases } from '../use-waiting-cases.ts'
import { orpc } from '#/api/client.ts'
import { useCan } from '#/api/session.ts'
import { LinkButton } from '#/ui/AppLink.tsx'
import { EmptyState } from '#/ui/EmptyState.tsx'
import { KeyLevelMark } from '#/ui/KeyLevelMark.tsx'
import { Loading } from '#/ui/Loading.tsx'
import { Page } from '#/ui/Page.tsx'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'
import { SectionCard } from '#/ui/SectionCard.tsx'
import { ListTable, type ListColumn } from '#/ui/table/ListTable.tsx'

/** What waits for a decision, and who decides? */
export function BoardsPage() {
  const boards = useQuery(orpc.decide.board.list.queryOptions())
  const canVote = useCan('board.vote')
  return (
    <Page
      title="Board"
      actions={
        <LinkButton variant="default" to="/keys">
          Roles and keys
        </LinkButton>
      }
    >
      {boards.error === null ? null : (
        <ProblemAlert
          title="The boards could not be loaded"
          error={boards.error}
          onRetry={() => void boards.refetch()}
        />
      )}
      {boards.isPending ? <Loading what="the boards" lines={8} /> : null}
      <div className={styles.grid}>
        <div className={styles.column}>
          {boards.data === undefined ? null : <BoardLists boards={boards.data.items} />}
        </div>
        {canVote ? (
          <aside className={styles.column} aria-label="Your keys">
            <MyKeysCard />
          </aside>
        ) : null}
      </div>
    </Page>
  )
}

function BoardLists({ boards }: { boards: readonly Board[] }) {
  const waiting = useWaitingCases().cases
  if (boards.length === 0) return <NoAuthority />
  const open = boards.flatMap((board) => board.openCases)
  const register = boards.flatMap((board) => board.register).toSorted((a, b) => b.askedAt.localeCompare(a.askedAt))
  return (
    <>
      {waiting.length === 0 ? null : (
        <SectionCard title="Waits for you" tone="gate">
          <CaseTable label="Waits for you" rows={waiting} />
        </SectionCard>
      )}
      <SectionCard title="Agenda" hint="Questions that are not decided yet">
        {open.length === 0 ? (
          <EmptyState>No question is open. A release asks its board from its cockpit.</EmptyState>
        ) : (
          <CaseTable label="Agenda" rows={open} />
        )}
      </SectionCard>
      <SectionCard title="Boards">
        <ListTable label="Boards" rows={boards} idOf={(board) => board.code} columns={columns} />
      </SectionCard>
      {register.length === 0 ? null : (
        <SectionCard title="Decision register" hint="What was decided, newest first">
          <CaseTable label="Decision register" rows={register} />
        </SectionCard>
      )}
    </>
  )
}

const columns: ListColumn<Board>[] = [
  {
    header: 'Board',
    cell: (board) => (
      <Link to="/boards/$board" params={{ board: board.code }}>
        {board.code}
      </Link>
    ),
  },
  {
    header: 'Lines',
    isMinor: true,
    cell: (board) => (board.productLines.length === 0 ? 'none yet' : board.productLines.join(', ')),
  },
  { header: 'Keys', isNumber: true, cell: sizeText },
  { header: 'Quorum', isNumber: true, cell: quorumOfLines },
  { header: 'Weakest key', cell: (board) => <KeyLevelMark level={board.level} /> },
  { header: 'Open', isNumber: true, cell: (board) => board.openCases.length },
]

/** Lines of one board mostly decide with the same quorum; where they do not, all are told. */
function quorumOfLines({ roles }: Board): string {
  return [...new Set(roles.filter(({ kind }) => kind === 'line').map(quorumText))].join(', ')
}

import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import styles from './BoardPage.module.css'
import { BoardBanners } from './BoardBanners.tsx'
import { JoinCard } from './JoinCard.tsx'
import { LevelsCard } from './LevelsCard.tsx'
import { membersOf, quorumText, roleWords, type Board, type BoardMember, type Role } from './board-view.ts'
import { CaseTable } from '../case/CaseTable.tsx'
import { MyKeysCard } from '../key/MyKeysCard.tsx'
import { orpc } from '#/api/client.ts'
import { useCan } from '#/api/session.ts'
import { AppLink } from '#/ui/AppLink.tsx'
import { DigestText } from '#/ui/DigestText.tsx'
import { EmptyState } from '#/ui/EmptyState.tsx'
import { KeyLevelMark } from '#/ui/KeyLevelMark.tsx'
import { Loading } from '#/ui/Loading.tsx'
import { Page } from '#/ui/Page.tsx'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'
import { SectionCard } from '#/ui/SectionCard.tsx'
import { StateTag } from '#/ui/StateTag.tsx'
import { formatDay } from '#/ui/format.ts'
import { ListTable, type ListColumn } from '#/ui/table/ListTable.tsx'

/** Who decides here, with which keys, and what was decided? */
export function BoardPage() {
  const { board: code } = useParams({ from: '/shell/boards/$board' })
  const board = useQuery(orpc.decide.board.get.queryOptions({ input: { board: code } }))
  return (
    <Page
      title={`Board ${code}`}
      trail={<AppLink to="/boards">Board</AppLink>}
      note={board.data === undefined ? undefined : board.data.productLines.join(', ')}
    >
      {board.error === null ? null : (
        <ProblemAlert title="This board could not be loaded" error={board.error} onRetry={() => void board.refetch()} />
      )}
      {board.isPending ? <Loading what="the board" lines={10} /> : null}
      {board.data === undefined ? null : <BoardContent board={board.data} />}
    </Page>
  )
}

function BoardContent({ board }: { board: Board }) {
  const canVote = useCan('board.vote')
  return (
    <>
      <div className={styles.banners}>
        <BoardBanners board={board} />
      </div>
      <div className={styles.grid}>
        <div className={styles.column}>
          <SectionCard title="Agenda" hint="Questions that are not decided yet">
            {board.openCases.length === 0 ? (
              <EmptyState>No question is open. A release asks its board from its cockpit.</EmptyState>
            ) : (
              <CaseTable label="Agenda" rows={board.openCases} />
            )}
          </SectionCard>
          <SectionCard title="Members">
            <ListTable
              label="Members"
              rows={membersOf(board)}
              idOf={(member) => member.keyId}
              columns={memberColumns}
            />
          </SectionCard>
          <SectionCard title="Quorum" hint="How many signatures each decision needs">
            <ListTable label="Quorum" rows={board.roles} idOf={(role) => role.role} columns={roleColumns} />
          </SectionCard>
          <SectionCard title="Decision register" hint="What was decided, newest first">
            {board.register.length === 0 ? (
              <EmptyState>Nothing was decided yet. Every Go, no-go and stop stays here.</EmptyState>
            ) : (
              <CaseTable label="Decision register" rows={board.register} />
            )}
          </SectionCard>
        </div>
        <aside className={styles.column} aria-label="Keys">
          {canVote ? <MyKeysCard /> : null}
          <JoinCard board={board} />
          <LevelsCard />
        </aside>
      </div>
    </>
  )
}

const memberColumns: ListColumn<BoardMember>[] = [
  {
    header: 'Member',
    cell: (member) => (
      <span className={styles.who}>
        <b>{member.name}</b>
        <KeyLevelMark level={member.level} />
      </span>
    ),
  },
  { header: 'Decides', cell: (member) => member.roles.join(', ') },
  { header: 'Key', isMinor: true, cell: (member) => <DigestText digest={member.keyId} /> },
]

const roleColumns: ListColumn<Role>[] = [
  { header: 'Decision', cell: (role) => <b>{roleWords(role)}</b> },
  { header: 'Role', isMinor: true, cell: (role) => <span className="mono">{role.role}</span> },
  { header: 'Signatures', isNumber: true, cell: quorumText },
  {
    header: 'Least level',
    isMinor: true,
    cell: (role) => (role.minLevel === null ? 'any' : <KeyLevelMark level={role.minLevel} />),
  },
  { header: 'State', cell: (role) => <StateTag machine="authority" state={role.state} /> },
  {
    header: 'Until',
    isNumber: true,
    isMinor: true,
    cell: (role) => (role.expiresAt === null ? '' : formatDay(role.expiresAt)),
  },
]

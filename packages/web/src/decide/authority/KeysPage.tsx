import { useQuery } from '@tanstack/react-query'
import { IconHourglass } from '@tabler/icons-react'
import styles from './KeysPage.module.css'
import { DraftsCard } from './DraftsCard.tsx'
import { NoAuthority } from './NoAuthority.tsx'
import { quorumText, roleWords, type Role } from '../board/board-view.ts'
import { namesText } from '../sign/draft.ts'
import { orpc, type Client } from '#/api/client.ts'
import { AppLink } from '#/ui/AppLink.tsx'
import { Banner } from '#/ui/Banner.tsx'
import { CommandLine } from '#/ui/CommandLine.tsx'
import { DigestText } from '#/ui/DigestText.tsx'
import { EmptyState } from '#/ui/EmptyState.tsx'
import { KeyValue } from '#/ui/KeyValue.tsx'
import { Loading } from '#/ui/Loading.tsx'
import { Page } from '#/ui/Page.tsx'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'
import { SectionCard } from '#/ui/SectionCard.tsx'
import { StateTag } from '#/ui/StateTag.tsx'
import { formatDay } from '#/ui/format.ts'
import { ListTable, type ListColumn } from '#/ui/table/ListTable.tsx'

type Authority = Awaited<ReturnType<Client['decide']['authority']['get']>>

/** Whose signatures do devices count, until when, and who has to act next? */
export function KeysPage() {
  const authority = useQuery(orpc.decide.authority.get.queryOptions())
  return (
    <Page title="Roles and keys" trail={<AppLink to="/boards">Board</AppLink>}>
      {authority.error === null ? null : (
        <ProblemAlert
          title="The signed roles could not be loaded"
          error={authority.error}
          onRetry={() => void authority.refetch()}
        />
      )}
      {authority.isPending ? <Loading what="the signed roles" lines={10} /> : null}
      <div className={styles.stack}>
        {authority.data?.isSetUp === false ? <NoAuthority /> : null}
        {authority.data === undefined ? null : <DraftsCard />}
        {authority.data?.isSetUp === true ? <Signed authority={authority.data} /> : null}
      </div>
    </Page>
  )
}

function Signed({ authority }: { authority: Authority }) {
  return (
    <>
      <SectionCard title="Next ceremonies" hint="What only people can renew">
        {authority.tasks.length === 0 ? (
          <EmptyState>Nobody has to sign anything in the next 30 days.</EmptyState>
        ) : (
          authority.tasks.map((task) => (
            <Banner key={task.role} hue={task.isOverdue ? 'fail' : 'gate'} icon={IconHourglass}>
              {task.text}
            </Banner>
          ))
        )}
      </SectionCard>
      {authority.root === null ? null : <RootCard root={authority.root} newest={authority.newestRootVersion} />}
      <SectionCard title="Roles" hint="As they are published">
        <ListTable label="Roles" rows={authority.roles} idOf={(role) => role.role} columns={columns} />
      </SectionCard>
      <OnlineKeysCard authority={authority} />
    </>
  )
}

function RootCard({ root, newest }: { root: NonNullable<Authority['root']>; newest: number | null }) {
  return (
    <SectionCard
      title="Root fingerprint"
      hint={newest === null || newest === root.version ? undefined : `The newest root is version ${newest}`}
    >
      <CommandLine command={root.sha256} what="fingerprint" />
      <p className={styles.hint}>
        Compare it with the ceremony sheet. A device that enrols with it can be given no other root by anybody.
      </p>
    </SectionCard>
  )
}

const columns: ListColumn<Role>[] = [
  { header: 'Role', cell: (role) => <span className="mono">{role.role}</span> },
  { header: 'What for', isMinor: true, cell: roleWords },
  { header: 'Version', isNumber: true, cell: (role) => role.version ?? 'no file' },
  { header: 'Signatures', isNumber: true, isMinor: true, cell: quorumText },
  {
    header: 'Signed by',
    isMinor: true,
    cell: (role) => <span className={styles.names}>{signersOf(role)}</span>,
  },
  { header: 'State', cell: (role) => <StateTag machine="authority" state={role.state} /> },
  {
    header: 'Until',
    isNumber: true,
    cell: (role) => (role.expiresAt === null ? '–' : formatDay(role.expiresAt)),
  },
]

function signersOf({ kind, members }: Role): string {
  if (kind === 'snapshot' || kind === 'timestamp' || kind === 'director') return 'the signer'
  return namesText(members.filter(({ hasSigned }) => hasSigned).map(({ name }) => name)) || 'nobody yet'
}

/** The keys that the signer uses by itself; none of them lets a release out. */
function OnlineKeysCard({ authority: { onlineKeys, snapshotVersion, timestampVersion } }: { authority: Authority }) {
  const line = (key: string, { keyval }: Authority['onlineKeys']['snapshot'], version?: number | null) => ({
    key,
    value: (
      <>
        <DigestText digest={keyval.public} />
        {version === undefined || version === null ? null : <span className="dim num"> version {version}</span>}
      </>
    ),
  })
  return (
    <SectionCard title="Online keys" hint="Held by the signer; none of them lets a release out">
      <KeyValue
        lines={[
          line('Snapshot', onlineKeys.snapshot, snapshotVersion),
          line('Timestamp', onlineKeys.timestamp, timestampVersion),
          line('Director', onlineKeys.director),
        ]}
      />
    </SectionCard>
  )
}

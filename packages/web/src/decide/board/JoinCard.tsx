import { useQuery } from '@tanstack/react-query'
import styles from './BoardPage.module.css'
import { candidatesFor, joinCommand, type Board } from './board-view.ts'
import { orpc } from '#/api/client.ts'
import { CommandLine } from '#/ui/CommandLine.tsx'
import { KeyLevelMark } from '#/ui/KeyLevelMark.tsx'
import { SectionCard } from '#/ui/SectionCard.tsx'

/** Two steps, by two people: nobody lets in themselves. */
export function JoinCard({ board }: { board: Board }) {
  const keys = useQuery(orpc.decide.memberKey.list.queryOptions()).data?.items ?? []
  const candidates = candidatesFor(board, keys)
  return (
    <SectionCard title="How to join">
      <ol className={styles.join}>
        <li>Make and register a key: under “Your keys” here, or with the bascule command line.</li>
        <li>
          A member who may compose the board names the key; the board’s own quorum signs the change.
          {candidates.length === 0 ? (
            <CommandLine command={joinCommand(board.code, 'NAME', 'PUBLIC_KEY')} />
          ) : (
            candidates.map((key) => (
              <div key={key.keyId}>
                <span className={styles.who}>
                  <b>{key.personName ?? key.label}</b>
                  <KeyLevelMark level={key.level} />
                  <span className="dim">{key.label}</span>
                </span>
                <CommandLine command={joinCommand(board.code, key.personName ?? key.label, key.publicKey)} />
              </div>
            ))
          )}
        </li>
      </ol>
    </SectionCard>
  )
}

import styles from './BoardPage.module.css'
import { CommandLine } from '#/ui/CommandLine.tsx'
import { SectionCard } from '#/ui/SectionCard.tsx'

/** Two steps, by two people: nobody lets in themselves. */
export function JoinCard({ board }: { board: string }) {
  return (
    <SectionCard title="How to join">
      <ol className={styles.join}>
        <li>Make and register a key: under “Your keys” here, or with the bascule command line.</li>
        <li>
          A member who may compose the board names the key; the board’s own quorum signs the change.
          <CommandLine command={`bascule trust join ${board} --key KEY_ID`} />
        </li>
      </ol>
    </SectionCard>
  )
}

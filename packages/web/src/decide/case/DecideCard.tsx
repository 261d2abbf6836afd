import { IconAlertTriangle, IconShieldCheck } from '@tabler/icons-react'
import styles from './DecideCard.module.css'
import { CaseActs } from './CaseActs.tsx'
import { isOpen, kindText, missingNames, stillNeeded, votesInOrder, type Case } from './case-view.ts'
import { VoteLine } from './VoteLine.tsx'
import { keysThatCount, namesText } from '../sign/draft.ts'
import { useMyKeys } from '../key/use-my-keys.ts'
import { QuorumBar } from '#/ui/QuorumBar.tsx'
import { SectionCard } from '#/ui/SectionCard.tsx'
import { StateTag, Tag } from '#/ui/StateTag.tsx'
import { stateLook } from '#/ui/states.ts'
import { formatCount } from '#/ui/format.ts'

/** Blockers, the quorum with everybody who belongs to it, and what this person can do. */
export function DecideCard({ found }: { found: Case }) {
  const { keys } = useMyKeys()
  const mine = new Set(keys.map(({ keyId }) => keyId))
  const isMyTurn = isOpen(found) && found.draft !== null && keysThatCount(found.draft, keys).length > 0
  const dissent = found.dissent.length
  return (
    <SectionCard
      title={isOpen(found) ? `Decide: ${kindText(found.kind)}` : 'Decision'}
      tone={isMyTurn ? 'gate' : 'plain'}
      actions={
        isMyTurn ? (
          <Tag hue="gate" icon={stateLook('case', 'open').icon} label="Needs you" />
        ) : (
          <StateTag machine="case" state={found.state} />
        )
      }
    >
      {found.notMet.length === 0 ? null : (
        <>
          <h3 className={styles.part}>Not met</h3>
          <ul className={styles.notMet}>
            {found.notMet.map(({ rule, fact, next }) => (
              <li key={rule + fact}>
                <IconAlertTriangle size={14} stroke={2} aria-hidden />
                <div>
                  <b>{fact}</b>
                  <span>{next}</span>
                </div>
              </li>
            ))}
          </ul>
        </>
      )}
      <div className={styles.part}>
        <h3>Signatures</h3>
        <span className="num">
          {formatCount(found.signatures)} of {formatCount(found.threshold)} needed
        </span>
      </div>
      <QuorumBar signed={found.signatures} needed={found.threshold} />
      <ul className={styles.votes}>
        {votesInOrder(found.votes, mine).map((vote) => (
          <VoteLine key={vote.keyId} vote={vote} isMine={mine.has(vote.keyId)} isOpen={isOpen(found)} />
        ))}
      </ul>
      {isOpen(found) ? <Missing found={found} /> : null}
      {dissent === 0 ? null : (
        <p className={styles.note}>
          {dissent === 1 ? 'One member dissents' : `${dissent} members dissent`}; the quorum decides, and their reasons
          stay in the record.
        </p>
      )}
      <CaseActs found={found} />
    </SectionCard>
  )
}

function Missing({ found }: { found: Case }) {
  const missing = missingNames(found.votes)
  return (
    <p className={styles.note}>
      <IconShieldCheck size={14} aria-hidden />
      <span>
        Devices refuse it until {stillNeeded(found)} {found.threshold - found.signatures === 1 ? 'is' : 'are'} there.
        {missing.length === 0 ? null : ` Nothing yet from ${namesText(missing)}.`}
      </span>
    </p>
  )
}

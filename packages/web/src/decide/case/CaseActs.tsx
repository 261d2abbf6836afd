import { Button } from '@mantine/core'
import { useState } from 'react'
import styles from './CaseActs.module.css'
import { caseTitle, isOpen, isPending, type Case } from './case-view.ts'
import { useCaseActs } from './use-case-acts.ts'
import { SayDialog } from '../sign/SayDialog.tsx'
import { SignDialog } from '../sign/SignDialog.tsx'
import { keysThatCount } from '../sign/draft.ts'
import { useMyKeys } from '../key/use-my-keys.ts'
import { useCan } from '#/api/session.ts'
import { AppLink } from '#/ui/AppLink.tsx'
import { ReasonDialog } from '#/ui/ConfirmDialog.tsx'
import { useFreshness } from '#/ui/use-freshness.ts'

type Open = 'sign' | 'no-go' | 'defer' | 'withdraw' | null

/** What this person can do about a case; on a phone it stands at the bottom of the screen. */
export function CaseActs({ found }: { found: Case }) {
  const [open, setOpen] = useState<Open>(null)
  const canAsk = useCan('release.write')
  const close = () => setOpen(null)
  if (!isPending(found)) return null
  return (
    <>
      {isOpen(found) ? <MemberActs found={found} onOpen={setOpen} /> : null}
      {canAsk ? (
        <Button variant="subtle" color="gray" mt={8} fullWidth className="no-print" onClick={() => setOpen('withdraw')}>
          Take the question back…
        </Button>
      ) : null}
      <ActDialogs found={found} open={open} onClose={close} />
    </>
  )
}

function MemberActs({ found, onOpen }: { found: Case; onOpen: (open: Open) => void }) {
  const canVote = useCan('board.vote')
  const freshness = useFreshness()
  const { keys, isPending: isLoading } = useMyKeys()
  const belongs = found.votes.filter((vote) => keys.some(({ keyId }) => keyId === vote.keyId))
  if (!canVote || isLoading) return null
  if (belongs.length === 0) {
    return (
      <p className={styles.note}>
        No key of yours belongs to this role.{' '}
        <AppLink to="/boards/$board" params={{ board: found.board }}>
          How to join the board
        </AppLink>
      </p>
    )
  }
  const canSign = found.draft !== null && keysThatCount(found.draft, keys).length > 0
  const hasSigned = belongs.some(({ said }) => said === 'go')
  return (
    <div className={`${styles.acts} no-print`}>
      {hasSigned ? null : (
        <>
          <Button {...freshness} variant="default" size="sm" onClick={() => onOpen('no-go')}>
            No-go…
          </Button>
          <Button {...freshness} variant="default" size="sm" onClick={() => onOpen('defer')}>
            Defer…
          </Button>
        </>
      )}
      {canSign ? (
        <Button {...freshness} size="sm" className={styles.sign} onClick={() => onOpen('sign')}>
          Sign…
        </Button>
      ) : null}
    </div>
  )
}

function ActDialogs({ found, open, onClose }: { found: Case; open: Open; onClose: () => void }) {
  const acts = useCaseActs()
  if (open === 'sign' && found.draft !== null) {
    return (
      <SignDialog
        draft={found.draft}
        title={caseTitle(found)}
        notMet={found.notMet}
        command={`bascule sign ${found.id}`}
        onClose={onClose}
      />
    )
  }
  if (open === 'no-go' || open === 'defer') return <SayDialog found={found} kind={open} onClose={onClose} />
  return (
    <ReasonDialog
      isOpen={open === 'withdraw'}
      onClose={onClose}
      title="Take the question back"
      verb="Take it back"
      cancelVerb="Keep asking"
      effect="The board is asked nothing more, and signatures made so far count for nothing. The plan can change again."
      error={acts.withdraw.error}
      isBusy={acts.withdraw.isPending}
      onConfirm={(reason) => acts.withdraw.mutate({ caseId: found.id, reason }, { onSuccess: onClose })}
    />
  )
}

import { Button, Checkbox, Group, Modal, Textarea } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import styles from './AskBoardDialog.module.css'
import type { Release } from './cockpit-view.ts'
import { useCaseActs } from '#/decide/case/use-case-acts.ts'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'

/** The question freezes the plan: what the members sign is what devices get. */
export function AskBoardDialog({ release, onClose }: { release: Release; onClose: () => void }) {
  const [isUrgent, setIsUrgent] = useState(false)
  const [reason, setReason] = useState('')
  const { ask } = useCaseActs()
  const navigate = useNavigate()
  function send() {
    const input = { releaseId: release.id, path: isUrgent ? ('emergency' as const) : ('normal' as const) }
    ask.mutate(
      { ...input, ...(reason.trim() === '' ? {} : { reason: reason.trim() }) },
      { onSuccess: ({ caseId }) => void navigate({ to: '/cases/$caseId', params: { caseId } }) },
    )
  }
  return (
    <Modal opened onClose={onClose} title={<b>{`Ask the board about ${release.title} ${release.version}`}</b>}>
      <p className={styles.effect}>
        Packages, audience and phases are fixed now, and the members sign exactly that. Nothing starts: with the Go the
        release is authorised, and you start it. A no-go gives you the plan back.
      </p>
      <Textarea
        label={isUrgent ? 'Why it cannot wait' : 'Message to the board'}
        autosize
        minRows={2}
        maxLength={2000}
        data-autofocus
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      <Checkbox
        mt="sm"
        checked={isUrgent}
        onChange={(event) => setIsUrgent(event.currentTarget.checked)}
        label="Emergency"
        description="The small quorum decides. Its Go ends after 14 days unless the full board ratifies it."
      />
      {ask.error === null ? null : (
        <div className={styles.problem}>
          <ProblemAlert title="The board was not asked" error={ask.error} />
        </div>
      )}
      <Group justify="flex-end" mt="md">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button loading={ask.isPending} disabled={isUrgent && reason.trim() === ''} onClick={send}>
          Ask the board
        </Button>
      </Group>
    </Modal>
  )
}

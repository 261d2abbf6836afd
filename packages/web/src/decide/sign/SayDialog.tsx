import { Button, Group, Modal, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'
import styles from './SignDialog.module.css'
import { KeyChoice } from './KeyChoice.tsx'
import { sayCommand, statementOf } from './statement.ts'
import { useSignPage } from './use-sign-page.ts'
import { useSaying } from './use-saying.ts'
import { isUsable, whyNotHere } from '../key/why-not-here.ts'
import { useMyKeys } from '../key/use-my-keys.ts'
import { caseTitle, type Case } from '../case/case-view.ts'
import { CommandLine } from '#/ui/CommandLine.tsx'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'

interface SayDialogProps {
  found: Case
  kind: 'no-go' | 'defer'
  onClose: () => void
}

const words = {
  'no-go': { title: 'No-go', effect: 'A signed no stays in the record, whatever the others decide.' },
  defer: { title: 'Defer', effect: 'A signed "not before that day" stays in the record; the others may still decide.' },
} as const

/** A word against, or for later: signed like everything else, and never a signature that devices count. */
export function SayDialog({ found, kind, onClose }: SayDialogProps) {
  const mine = useMyKeys()
  const keys = mine.keys.filter(({ keyId }) => found.votes.some((vote) => vote.keyId === keyId))
  const here = new Set(mine.here.map(({ id }) => id))
  const [reason, setReason] = useState('')
  const [untilOn, setUntilOn] = useState('')
  const [chosen, setChosen] = useState('')
  const saying = useSaying(found)
  const signPage = useSignPage()
  const key = keys.find(({ keyId }) => keyId === chosen) ?? keys.find((each) => isUsable(each, here)) ?? keys[0]
  if (key === undefined) return null
  const own = mine.here.find(({ id }) => id === key.keyId)
  const isHere = own !== undefined || (isUsable(key, here) && typeof signPage?.url === 'string')
  const isFilled = reason.trim() !== '' && (kind === 'no-go' || untilOn !== '')
  const say = { kind, reason: reason.trim(), ...(kind === 'defer' ? { untilOn } : {}) }
  return (
    <Modal opened onClose={onClose} title={<b>{`${words[kind].title}: ${found.title} ${found.version}`}</b>}>
      <p className={styles.words}>{words[kind].effect}</p>
      {kind === 'defer' ? (
        <TextInput
          type="date"
          size="sm"
          mb="sm"
          label="Not before"
          value={untilOn}
          onChange={(event) => setUntilOn(event.currentTarget.value)}
        />
      ) : null}
      <Textarea
        label="Reason"
        description="Everybody who reads the case sees it"
        autosize
        minRows={2}
        maxLength={2000}
        data-autofocus
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      <KeyChoice keys={keys} here={here} value={key.keyId} onChange={setChosen} />
      {isHere ? null : (
        <>
          <p className={styles.words}>{whyNotHere() ?? 'This key is not in this browser.'} With the tool:</p>
          <CommandLine command={sayCommand(found.id, say)} />
        </>
      )}
      {saying.error === null ? null : <ProblemAlert title="Not signed" error={saying.error} />}
      <Group justify="flex-end" mt="md">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        {isHere ? (
          <Button
            disabled={!isFilled}
            loading={saying.isPending}
            onClick={() =>
              saying.mutate(
                {
                  signed: statementOf(found, key.keyId, say, new Date()),
                  title: caseTitle(found),
                  key,
                  own,
                  page: signPage?.url ?? '',
                },
                { onSuccess: onClose },
              )
            }
          >
            Sign
          </Button>
        ) : null}
      </Group>
    </Modal>
  )
}

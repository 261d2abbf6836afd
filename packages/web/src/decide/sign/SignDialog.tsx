import { Button, Group, Modal } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import { useState } from 'react'
import styles from './SignDialog.module.css'
import { KeyChoice } from './KeyChoice.tsx'
import { ReviewPart } from './ReviewPart.tsx'
import { keysThatCount, type Draft } from './draft.ts'
import { noSignPage, useSignPage } from './use-sign-page.ts'
import { useReview } from './use-review.ts'
import { useSigning } from './use-signing.ts'
import { isUsable, whyNotHere } from '../key/why-not-here.ts'
import { useMyKeys, type MemberKey } from '../key/use-my-keys.ts'
import { Banner } from '#/ui/Banner.tsx'
import { CommandLine } from '#/ui/CommandLine.tsx'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'

interface SignDialogProps {
  draft: Draft
  /** "Go: Till 4.2.0". */
  title: string
  notMet?: readonly { fact: string }[]
  /** How the same is done with the tool. */
  command: string
  onClose: () => void
}

/** What a signature means, made with the key that the person chooses. */
export function SignDialog({ draft, title, notMet = [], command, onClose }: SignDialogProps) {
  const mine = useMyKeys()
  const keys = keysThatCount(draft, mine.keys)
  const here = new Set(mine.here.map(({ id }) => id))
  const [chosen, setChosen] = useState('')
  const key = keys.find(({ keyId }) => keyId === chosen) ?? keys.find((each) => isUsable(each, here)) ?? keys[0]
  return (
    <Modal opened onClose={onClose} title={<b>{title}</b>} size="lg">
      {notMet.length === 0 ? null : (
        <Banner hue="gate" icon={IconAlertTriangle}>
          {notMet.map(({ fact }) => (
            <div key={fact}>{fact}</div>
          ))}
        </Banner>
      )}
      {key === undefined ? (
        <p>No key of yours is asked for here any more.</p>
      ) : (
        <>
          <KeyChoice keys={keys} here={here} value={key.keyId} onChange={setChosen} />
          <SignWith key={key.keyId} draft={draft} chosen={key} title={title} command={command} onClose={onClose} />
        </>
      )}
    </Modal>
  )
}

interface SignWithProps {
  draft: Draft
  chosen: MemberKey
  title: string
  command: string
  onClose: () => void
}

function SignWith(props: SignWithProps) {
  if (props.chosen.level === 3) return <WithTool {...props} why="This key lives in the bascule command line." />
  const why = whyNotHere()
  if (why !== undefined) return <WithTool {...props} why={why} />
  return props.chosen.level === 2 ? <WithPasskey {...props} /> : <WithBrowserKey {...props} />
}

function WithTool({ why, command, onClose }: SignWithProps & { why: string }) {
  return (
    <>
      <p className={styles.words}>{why} Run there:</p>
      <CommandLine command={command} />
      <Group justify="flex-end" mt="md">
        <Button variant="default" onClick={onClose}>
          Close
        </Button>
      </Group>
    </>
  )
}

function WithPasskey({ draft, chosen, title, onClose }: SignWithProps) {
  const signing = useSigning(draft)
  const page = useSignPage()?.url
  if (page === null) return <p className={styles.words}>{noSignPage}</p>
  return (
    <>
      <p className={styles.words}>
        A window of the signing page opens. It checks the draft itself, shows what changes, and asks for your passkey.
      </p>
      <Foot error={signing.error} onClose={onClose}>
        <Button
          disabled={page === undefined}
          loading={signing.isPending}
          onClick={() => {
            if (page !== undefined)
              signing.mutate({ kind: 'passkey', key: chosen, title, page }, { onSuccess: onClose })
          }}
        >
          Sign with your passkey
        </Button>
      </Foot>
    </>
  )
}

function WithBrowserKey({ draft, chosen, onClose }: SignWithProps) {
  const signing = useSigning(draft)
  const review = useReview(draft, chosen.keyId)
  const key = useMyKeys().here.find(({ id }) => id === chosen.keyId)
  const isReady = key !== undefined && review.data?.ok === true
  return (
    <>
      {key === undefined ? (
        <p className={styles.words}>
          The private half of this key is in the browser where it was made. Sign there, or choose another key.
        </p>
      ) : (
        <ReviewPart review={review} />
      )}
      <Foot error={signing.error} onClose={onClose}>
        <Button
          disabled={!isReady}
          loading={signing.isPending}
          onClick={() => {
            if (key === undefined || review.data?.ok !== true) return
            signing.mutate({ kind: 'browser', key, review: review.data.value }, { onSuccess: onClose })
          }}
        >
          Sign
        </Button>
      </Foot>
    </>
  )
}

interface FootProps {
  error: Error | null
  onClose: () => void
  children: React.ReactNode
}

function Foot({ error, onClose, children }: FootProps) {
  return (
    <>
      {error === null ? null : (
        <div className={styles.problem}>
          <ProblemAlert title="Not signed" error={error} />
        </div>
      )}
      <Group justify="flex-end" mt="md">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        {children}
      </Group>
    </>
  )
}

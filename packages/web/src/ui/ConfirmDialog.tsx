import { Button, Group, Modal, Textarea, TextInput } from '@mantine/core'
import { IconAlertTriangleFilled } from '@tabler/icons-react'
import { useState, type ReactNode } from 'react'
import styles from './ConfirmDialog.module.css'
import { ProblemAlert } from './ProblemAlert.tsx'
import { SentenceList, type Sentence } from './SentenceList.tsx'

interface DialogProps {
  isOpen: boolean
  onClose: () => void
  title: string
  /** The verb again: "Pause rollout", never "OK". */
  verb: string
  /** What was refused or failed in the last try. */
  error?: unknown
  isBusy?: boolean
  children?: ReactNode
}

interface ReasonDialogProps extends DialogProps {
  /** What happens and what does not, in one or two sentences. */
  effect: string
  cancelVerb?: string
  /** Something in the dialog is not right yet. */
  isBlocked?: boolean
  onConfirm: (reason: string) => void
}

interface EffectDialogProps extends DialogProps {
  effect: string
  /** Something ends that does not come back by the same door: the safe answer is the one under the finger. */
  isEnding?: boolean
  onConfirm: () => void
}

/** Says what will happen before it does; for acts that need no reason. */
export function EffectDialog({ isEnding = false, ...props }: EffectDialogProps) {
  return (
    <Modal opened={props.isOpen} onClose={props.onClose} title={<b>{props.title}</b>}>
      <p className={styles.effect}>{props.effect}</p>
      {props.children}
      <Refusal {...props} />
      <Group justify="flex-end" mt="md">
        <Button variant="default" onClick={props.onClose} data-autofocus={isEnding || undefined}>
          Cancel
        </Button>
        <Button
          className={isEnding ? styles.danger : undefined}
          loading={props.isBusy ?? false}
          onClick={props.onConfirm}
          data-autofocus={isEnding ? undefined : true}
        >
          {props.verb}
        </Button>
      </Group>
    </Modal>
  )
}

/** Level 2: reversible but felt by many. The effect is said and a reason is required. */
export function ReasonDialog(props: ReasonDialogProps) {
  const [reason, setReason] = useState('')
  return (
    <Modal opened={props.isOpen} onClose={props.onClose} title={<b>{props.title}</b>}>
      <p className={styles.effect}>{props.effect}</p>
      {props.children}
      <Textarea
        label="Reason"
        description="Goes to the activity log"
        autosize
        minRows={2}
        maxLength={500}
        data-autofocus
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      <Refusal {...props} />
      <Group justify="flex-end" mt="md">
        <Button variant="default" onClick={props.onClose}>
          {props.cancelVerb ?? 'Cancel'}
        </Button>
        <Button
          loading={props.isBusy ?? false}
          disabled={reason.trim() === '' || props.isBlocked === true}
          onClick={() => props.onConfirm(reason.trim())}
        >
          {props.verb}
        </Button>
      </Group>
    </Modal>
  )
}

export interface BlastNumber {
  value: string
  label: string
}

interface BlastDialogProps extends DialogProps {
  /** How much it reaches, in four numbers. */
  numbers: readonly [BlastNumber, BlastNumber, BlastNumber, BlastNumber]
  consequences: readonly Sentence[]
  /** To be typed exactly. */
  name: string
  onConfirm: (reason: string) => void
}

/** Level 4: cannot simply be undone. Four numbers, consequences in sentences, a reason, and the exact name typed; Enter never confirms. */
export function BlastDialog(props: BlastDialogProps) {
  const [typed, setTyped] = useState('')
  const [reason, setReason] = useState('')
  const isReady = typed.trim() === props.name && reason.trim() !== ''
  return (
    <Modal opened={props.isOpen} onClose={props.onClose} size="lg" title={<DangerTitle title={props.title} />}>
      <div className={styles.blast}>
        {props.numbers.map((number) => (
          <div key={number.label}>
            <b className="num">{number.value}</b>
            <span>{number.label}</span>
          </div>
        ))}
      </div>
      <SentenceList sentences={props.consequences} />
      {props.children}
      <Textarea
        label="Reason"
        autosize
        minRows={2}
        maxLength={500}
        mb="sm"
        data-autofocus
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      <TextInput
        label={
          <>
            Type <b className="mono">{props.name}</b> to go on
          </>
        }
        value={typed}
        autoComplete="off"
        onChange={(event) => setTyped(event.currentTarget.value)}
      />
      <Refusal {...props} />
      <Group justify="flex-end" mt="md">
        <Button variant="default" onClick={props.onClose}>
          Cancel
        </Button>
        <Button
          className={styles.danger}
          loading={props.isBusy ?? false}
          disabled={!isReady}
          onClick={() => props.onConfirm(reason.trim())}
        >
          {props.verb}
        </Button>
      </Group>
    </Modal>
  )
}

function DangerTitle({ title }: { title: string }) {
  return (
    <span className={styles.dangerTitle}>
      <IconAlertTriangleFilled size={18} aria-hidden />
      <b>{title}</b>
    </span>
  )
}

function Refusal({ error, verb }: DialogProps) {
  if (error === undefined || error === null) return null
  return (
    <div className={styles.refusal}>
      <ProblemAlert title={`${verb}: not done`} error={error} />
    </div>
  )
}

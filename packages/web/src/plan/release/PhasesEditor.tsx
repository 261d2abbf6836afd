import { ActionIcon, Button, NumberInput, TextInput } from '@mantine/core'
import { IconArrowDown, IconArrowUp, IconPlus, IconTrash } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import type { PlanForm } from './PlanFormPage.tsx'
import styles from './PhasesEditor.module.css'
import type { PhaseDraft } from './release-plan.ts'
import { PhaseRing } from '#/ui/PhaseRing.tsx'
import { countOf } from '#/ui/format.ts'
import { newKey } from '#/ui/form/new-key.ts'

interface PhasesEditorProps {
  form: PlanForm
  /** How many devices each phase would take now; undefined while counting. */
  devices: readonly number[] | undefined
}

/** The phases in their order, each with its query, thresholds and brakes. */
export function PhasesEditor({ form, devices }: PhasesEditorProps) {
  const { phases } = form.values
  return (
    <ol className={styles.phases}>
      {phases.map((phase, index) => (
        <li key={phase.key}>
          <PhaseFields form={form} phase={phase} index={index} devices={devices?.[index]} />
        </li>
      ))}
      <li>
        <Button
          variant="default"
          leftSection={<IconPlus size={15} />}
          onClick={() => form.insertListItem('phases', nextPhase(phases))}
        >
          Add phase
        </Button>
      </li>
    </ol>
  )
}

/** A new phase is as careful as the one before it. */
function nextPhase(phases: readonly PhaseDraft[]): PhaseDraft {
  const last = phases.at(-1)
  return {
    advancePercent: 95,
    successPercentMin: 95,
    failureBudget: 1,
    inFlightMax: 10,
    soakHours: 24,
    silenceBudget: 0,
    ...last,
    notBefore: '',
    notAfter: '',
    key: newKey(),
    name: '',
    query: '',
  }
}

interface PhaseFieldsProps {
  form: PlanForm
  phase: PhaseDraft
  index: number
  devices: number | undefined
}

function PhaseFields({ form, phase, index, devices }: PhaseFieldsProps) {
  const of = form.values.phases.length
  const order = index + 1
  const input = (field: keyof PhaseDraft) => form.getInputProps(`phases.${index}.${field}`)
  return (
    <fieldset className={styles.phase}>
      <legend>
        <PhaseRing order={order} of={of} state="waiting" />
        <b>
          Phase {order}
          {phase.name === '' ? '' : `, ${phase.name}`}
        </b>
        <span className="dim num">{devices === undefined ? '' : countOf(devices, 'device')}</span>
      </legend>
      <div className={styles.moves}>
        <Move
          label={`Move phase ${order} up`}
          isOff={index === 0}
          onClick={() => form.reorderListItem('phases', { from: index, to: index - 1 })}
        >
          <IconArrowUp size={15} />
        </Move>
        <Move
          label={`Move phase ${order} down`}
          isOff={order === of}
          onClick={() => form.reorderListItem('phases', { from: index, to: order })}
        >
          <IconArrowDown size={15} />
        </Move>
        <Move label={`Remove phase ${order}`} isOff={of === 1} onClick={() => form.removeListItem('phases', index)}>
          <IconTrash size={15} />
        </Move>
      </div>
      <div className={styles.who}>
        <TextInput size="xs" label="Name" required withAsterisk={false} {...input('name')} />
        <TextInput
          size="xs"
          label="Query"
          placeholder={order === of ? 'everybody who is left' : 'site:leeds or sample:10%'}
          classNames={{ input: 'mono' }}
          {...input('query')}
        />
      </div>
      <div className={styles.limits}>
        <NumberInput
          size="xs"
          label="Advance at"
          suffix=" %"
          min={0}
          max={100}
          decimalScale={1}
          {...input('advancePercent')}
        />
        <NumberInput
          size="xs"
          label="Success at least"
          suffix=" %"
          min={0}
          max={100}
          decimalScale={1}
          {...input('successPercentMin')}
        />
        <NumberInput size="xs" label="Failures stop at" min={0} allowDecimal={false} {...input('failureBudget')} />
        <NumberInput size="xs" label="At a time" min={1} allowDecimal={false} {...input('inFlightMax')} />
        <NumberInput size="xs" label="Soak" suffix=" h" min={0} decimalScale={2} {...input('soakHours')} />
        <NumberInput size="xs" label="May go quiet" min={0} allowDecimal={false} {...input('silenceBudget')} />
      </div>
      <div className={styles.times}>
        <TextInput size="xs" type="datetime-local" label="Not before" {...input('notBefore')} />
        <TextInput size="xs" type="datetime-local" label="Not after" {...input('notAfter')} />
      </div>
    </fieldset>
  )
}

interface MoveProps {
  label: string
  isOff: boolean
  onClick: () => void
  children: ReactNode
}

function Move({ label, isOff, onClick, children }: MoveProps) {
  return (
    <ActionIcon
      className={styles.move}
      variant="subtle"
      color="gray"
      size={26}
      aria-label={label}
      disabled={isOff}
      onClick={onClick}
    >
      {children}
    </ActionIcon>
  )
}

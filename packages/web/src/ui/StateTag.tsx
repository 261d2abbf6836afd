import styles from './StateTag.module.css'
import { stateLook, type Hue, type Machine } from './states.ts'
import type { Icon } from '@tabler/icons-react'

interface StateTagProps {
  machine: Machine
  state: string
  /** Says more than the state's own word, for example "Rolling out, phase 2 of 4". */
  label?: string | undefined
  large?: boolean
}

export function StateTag({ machine, state, label, large = false }: StateTagProps) {
  const look = stateLook(machine, state)
  return <Tag hue={look.hue} icon={look.icon} label={label ?? look.word} large={large} />
}

interface TagProps {
  hue: Hue
  icon: Icon
  label: string
  large?: boolean
}

/** Icon, word and hue together: a state is never shown by colour alone. */
export function Tag({ hue, icon: IconOfState, label, large = false }: TagProps) {
  return (
    <span className={styles.tag} data-hue={hue} data-large={large || undefined}>
      <IconOfState size={large ? 15 : 13} stroke={2} aria-hidden />
      {label}
    </span>
  )
}

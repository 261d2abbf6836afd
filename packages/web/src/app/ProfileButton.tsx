import { UnstyledButton } from '@mantine/core'
import type { ComponentPropsWithRef } from 'react'
import styles from './Shell.module.css'
import { useSession } from '#/api/session.ts'

/** Who is signed in. It stands there before its menu is loaded, at the same size. */
export function ProfileButton(props: ComponentPropsWithRef<'button'>) {
  const session = useSession()
  const name = session?.actor.name ?? ''
  return (
    <UnstyledButton {...props} className={styles.profile}>
      <span className={styles.initials} aria-hidden>
        {initialsOf(name)}
      </span>
      <span>
        <span className={styles.name}>{name}</span>
        <span className={styles.where}>{session?.person?.timeZone ?? 'API key'}</span>
      </span>
    </UnstyledButton>
  )
}

/** "PK" of "Petra Kühn". */
function initialsOf(name: string): string {
  const words = name.split(/\s+/).filter((word) => word !== '')
  return [words[0], words.length > 1 ? words.at(-1) : undefined].map((word) => word?.[0]?.toUpperCase() ?? '').join('')
}

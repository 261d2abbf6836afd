import type { Icon } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import styles from './Banner.module.css'
import type { Hue } from './states.ts'

interface BannerProps {
  hue: Hue
  icon: Icon
  children: ReactNode
}

/** What must be known before anything else on the page is read. */
export function Banner({ hue, icon: IconOfBanner, children }: BannerProps) {
  return (
    <div className={styles.banner} data-hue={hue}>
      <IconOfBanner size={16} stroke={2} aria-hidden />
      <div>{children}</div>
    </div>
  )
}

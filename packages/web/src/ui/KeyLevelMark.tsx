import styles from './KeyLevelMark.module.css'
import { keyLevelWords } from './levels.ts'

/** "L2": how a key is kept; what that is worth on hover and aloud. */
export function KeyLevelMark({ level }: { level: number | null }) {
  const { short, name, honestly } = keyLevelWords(level)
  return (
    <abbr className={styles.mark} title={`${name}. ${honestly}`}>
      {short}
    </abbr>
  )
}

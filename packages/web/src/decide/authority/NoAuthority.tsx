import styles from './KeysPage.module.css'
import { CommandLine } from '#/ui/CommandLine.tsx'

/** Before the first ceremony: nothing can be installed, and the one thing that changes it. */
export function NoAuthority() {
  return (
    <div className={styles.none}>
      <p>
        No board yet, so no device installs anything: a release goes out only with signatures of people whose keys the
        devices know, and this server has none of those keys.
      </p>
      <p>Make the first keys and the first board on your own machine:</p>
      <CommandLine command={`bascule trust init --server ${location.origin}`} />
    </div>
  )
}

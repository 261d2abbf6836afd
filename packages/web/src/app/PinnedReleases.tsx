import { VisuallyHidden } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import styles from './Shell.module.css'
import { usePinned, type PinnedRelease } from '#/plan/pinned-release/use-pinned.ts'
import { stateLook } from '#/ui/states.ts'

/** What the person keeps at hand, each with how it stands. */
export function PinnedReleases({ onNavigate }: { onNavigate: () => void }) {
  const pinned = usePinned()
  if (pinned.length === 0) return null
  return (
    <section aria-labelledby="pinned" className={styles.pinned}>
      <h2 id="pinned">Pinned</h2>
      <ul className={styles.list}>
        {pinned.map((release) => (
          <PinnedLine key={release.id} release={release} onNavigate={onNavigate} />
        ))}
      </ul>
    </section>
  )
}

function PinnedLine({ release, onNavigate }: { release: PinnedRelease; onNavigate: () => void }) {
  const { word, hue } =
    release.rollout === null ? stateLook('release', release.state) : stateLook('rollout', release.rollout.state)
  const name = `${release.title} ${release.version}`
  return (
    <li>
      <Link
        to="/releases/$releaseId"
        params={{ releaseId: release.id }}
        onClick={onNavigate}
        className={styles.link}
        title={`${name}: ${word}`}
        activeOptions={{ exact: true }}
        activeProps={{ 'aria-current': 'page' }}
      >
        <i className={styles.dot} data-hue={hue} aria-hidden />
        <span className={styles.pinnedName}>{name}</span>
        <VisuallyHidden>{word}</VisuallyHidden>
      </Link>
    </li>
  )
}

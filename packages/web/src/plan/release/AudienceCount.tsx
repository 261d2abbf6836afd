import styles from './PlanFormPage.module.css'
import type { AudienceCountState } from './use-audience-count.ts'
import { countOf } from '#/ui/format.ts'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'

/** The live count under the audience, and what would keep the release from starting. */
export function AudienceCount({ count: { preview, error, isCounting } }: { count: AudienceCountState }) {
  if (error !== null) {
    return (
      <div className={styles.count}>
        <ProblemAlert title="The audience cannot be counted" error={error} />
      </div>
    )
  }
  if (preview === undefined) return <output className={styles.count}>Counting…</output>
  const unplaced =
    preview.unplaced === 0
      ? ''
      : ` ${countOf(preview.unplaced, 'device')} of them belong to no phase; the release cannot start like this.`
  return (
    <p className={styles.count} aria-live="polite" aria-busy={isCounting}>
      <b className="num">{countOf(preview.audience, 'device')}</b> {preview.audience === 1 ? 'matches' : 'match'} now.
      {unplaced}
    </p>
  )
}

import styles from './SignDialog.module.css'
import type { ReviewQuery } from './use-review.ts'
import { DigestText } from '#/ui/DigestText.tsx'
import { Loading } from '#/ui/Loading.tsx'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'
import { formatDay } from '#/ui/format.ts'

/** What this browser has found in the draft, or why it must not be signed. */
export function ReviewPart({ review }: { review: ReviewQuery }) {
  if (review.error !== null) {
    return (
      <div className={styles.problem}>
        <ProblemAlert
          title="The draft could not be checked"
          error={{ kind: 'broken', what: review.error.message, next: 'Nothing was signed. Try again.' }}
          onRetry={() => void review.refetch()}
        />
      </div>
    )
  }
  if (review.data === undefined) return <Loading what="the check of the draft" lines={3} />
  if (!review.data.ok) {
    const { rule, fact, lifter, next } = review.data.error
    return (
      <div className={styles.problem}>
        <ProblemAlert title="Not to be signed here" error={{ kind: 'refused', what: fact, rule, lifter, next }} />
      </div>
    )
  }
  const { documents, anchor } = review.data.value
  return (
    <section className={styles.review} aria-label="What your signature changes">
      {documents.map(({ role, words }) => (
        <div key={role}>
          <h3>
            What your signature changes in <span className="mono">{role}</span>
          </h3>
          <ul>
            {words.map((sentence) => (
              <li key={sentence}>{sentence}</li>
            ))}
          </ul>
        </div>
      ))}
      <p>
        Checked in this browser against the published files, from the root <DigestText digest={anchor.sha256} />
        {anchor.isNew ? ', which it sees for the first time.' : `, which it knows since ${formatDay(anchor.since)}.`}
      </p>
    </section>
  )
}

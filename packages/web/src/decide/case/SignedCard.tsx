import styles from './SignedCard.module.css'
import { missingIn, namesText, type Draft, type DraftDocument } from '../sign/draft.ts'
import { DigestText } from '#/ui/DigestText.tsx'
import { EmptyState } from '#/ui/EmptyState.tsx'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'
import { SectionCard } from '#/ui/SectionCard.tsx'
import { StateTag } from '#/ui/StateTag.tsx'
import { countOf, formatMoment } from '#/ui/format.ts'

/** The signed documents behind the question: whose signatures are there, and who is missing. */
export function SignedCard({ draft }: { draft: Draft }) {
  return (
    <SectionCard
      title={draft.state === 'published' ? 'Signed document' : 'Document to sign'}
      hint={draft.publishedAt === null ? undefined : `Published ${formatMoment(draft.publishedAt)}`}
      actions={<StateTag machine="draft" state={draft.state} />}
    >
      {draft.refusal === null ? null : (
        <ProblemAlert
          title="The signer did not publish it"
          error={{
            kind: 'refused',
            what: draft.refusal.fact,
            rule: draft.refusal.rule,
            lifter: draft.refusal.lifter,
            next: draft.refusal.next,
          }}
        />
      )}
      {draft.state === 'queued' ? (
        <EmptyState>
          Another draft of the same role is being signed. This one gets its document when the role is free.
        </EmptyState>
      ) : null}
      {draft.documents.map((document) => (
        <DocumentPart key={document.role} document={document} isSigning={draft.state === 'signing'} />
      ))}
    </SectionCard>
  )
}

function DocumentPart({ document, isSigning }: { document: DraftDocument; isSigning: boolean }) {
  const missing = missingIn(document)
  return (
    <div className={styles.document}>
      <p>
        <b className="mono">{document.role}</b>
        <span className="num">
          {' '}
          version {versionOf(document)}, {countOf(document.signatures.length, 'signature')} of {document.threshold}{' '}
          needed
        </span>
      </p>
      <ul>
        {document.signatures.map(({ keyid, name, at }) => (
          <li key={keyid}>
            <span>{name}</span>
            <DigestText digest={keyid} />
            <span className="dim num">{formatMoment(at)}</span>
          </li>
        ))}
      </ul>
      {isSigning && missing.length > 0 ? <p className="dim">Not signed yet: {namesText(missing)}.</p> : null}
    </div>
  )
}

function versionOf({ signed }: DraftDocument): string {
  const version: unknown = Reflect.get(Object(signed), 'version')
  return typeof version === 'number' ? String(version) : 'unknown'
}

import { Button } from '@mantine/core'
import { IconAlertTriangle, IconCheck, IconRosetteDiscountCheck, IconX } from '@tabler/icons-react'
import styles from './DeviceTimeline.module.css'
import { client, orpc, type Client } from '#/api/client.ts'
import { EmptyState } from '#/ui/EmptyState.tsx'
import { Loading } from '#/ui/Loading.tsx'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'
import { SectionCard } from '#/ui/SectionCard.tsx'
import { Tag } from '#/ui/StateTag.tsx'
import { formatExact, formatMoment } from '#/ui/format.ts'
import { useKeysetList } from '#/ui/use-keyset-list.ts'

type ReportRow = Awaited<ReturnType<Client['deliver']['receipt']['ofDevice']>>['items'][number]
type Receipt = NonNullable<ReportRow['receipt']>
type Check = Receipt['signed']['verification'][number]

const pageRows = 30

/** Everything the device reported, newest first, with the receipts it signed. */
export function DeviceTimeline({ deviceId }: { deviceId: string }) {
  const list = useKeysetList([...orpc.deliver.receipt.key(), 'of-device', deviceId], (after, signal) =>
    client.deliver.receipt.ofDevice({ deviceId, limit: pageRows, ...after }, { signal }),
  )
  return (
    <SectionCard title="Timeline" hint="Reports and signed receipts">
      {list.error === null ? null : (
        <ProblemAlert title="The timeline could not be loaded" error={list.error} onRetry={list.retry} />
      )}
      {list.rows === undefined && list.error === null ? <Loading what="the timeline" /> : null}
      {list.rows?.length === 0 ? <EmptyState>This device has not reported yet.</EmptyState> : null}
      <ol className={styles.timeline}>
        {list.rows?.map((report) => (
          <ReportLine key={report.seq} report={report} />
        ))}
      </ol>
      {list.hasMore ? (
        <Button variant="default" loading={list.isLoadingMore} onClick={list.onMore}>
          Show more
        </Button>
      ) : null}
    </SectionCard>
  )
}

function ReportLine({ report }: { report: ReportRow }) {
  return (
    <li>
      <time className="num dim" dateTime={report.at} title={formatExact(report.at)}>
        {formatMoment(report.at)}
      </time>
      <div>
        <span>{report.sentence}</span>
        {report.release === null ? null : <span className="dim"> {report.release}</span>}
        {report.notes.map((note) => (
          <p key={note}>{note}</p>
        ))}
        {report.receipt === null ? null : (
          <ReceiptLine receipt={report.receipt} isValid={report.receiptValid === true} />
        )}
      </div>
    </li>
  )
}

function ReceiptLine({ receipt: { signed }, isValid }: { receipt: Receipt; isValid: boolean }) {
  return (
    <>
      <ul className={styles.levels} aria-label="Verification levels">
        {signed.verification.map((check) => (
          <Level key={check.level} check={check} />
        ))}
      </ul>
      <details className={styles.receipt}>
        <summary>
          {isValid ? (
            <Tag hue="go" icon={IconRosetteDiscountCheck} label="Receipt, signature checked" />
          ) : (
            <Tag hue="fail" icon={IconAlertTriangle} label="Receipt, signature does not match" />
          )}
        </summary>
        <ul>
          {signed.packages.map((each) => (
            <li key={each.name}>
              {each.name} {each.version}, {each.variant}: {each.before ?? 'nothing'} → {each.after ?? 'nothing'},{' '}
              {each.fileCount} files
            </li>
          ))}
          {signed.cause === null ? null : <li>{signed.cause}</li>}
          <li>
            From {formatExact(signed.startedAt)} to {formatExact(signed.finishedAt)}, agent {signed.agentVersion}
          </li>
        </ul>
      </details>
    </>
  )
}

const levelNames: Readonly<Record<number, string>> = {
  0: 'Delivered',
  1: 'Authorised by the board',
  2: 'Present',
  3: 'Every file intact',
  4: 'Works',
}

/** One level of verification: passed, failed, or not yet, with what was looked at. */
function Level({ check }: { check: Check }) {
  const name = levelNames[check.level] ?? `Level ${check.level}`
  return (
    <li data-result={check.result}>
      {check.result === 'passed' ? <IconCheck size={13} stroke={2.6} aria-hidden /> : null}
      {check.result === 'failed' ? <IconX size={13} stroke={2.6} aria-hidden /> : null}
      <b className="num">{check.level}</b>
      <span>
        {name}
        {check.result === 'passed' ? '' : `: ${check.result.replaceAll('-', ' ')}`}
      </span>
      <span className="dim">{check.detail}</span>
    </li>
  )
}

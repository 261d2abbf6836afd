import { IconServer2 } from '@tabler/icons-react'
import styles from './CasePage.module.css'
import { letsOut, reachText, type Case, type CasePhase } from './case-view.ts'
import { AppLink } from '#/ui/AppLink.tsx'
import { DigestText } from '#/ui/DigestText.tsx'
import { KeyValue } from '#/ui/KeyValue.tsx'
import { SectionCard } from '#/ui/SectionCard.tsx'
import { Tag } from '#/ui/StateTag.tsx'
import { formatCount, formatMoment } from '#/ui/format.ts'
import { ListTable, type ListColumn } from '#/ui/table/ListTable.tsx'

/** Which devices get what and when: everything that a signature fixes. */
export function ChangesCard({ found }: { found: Case }) {
  return (
    <SectionCard title="What changes, for which devices" hint={reachText(found)}>
      {letsOut(found.kind) ? (
        <ListTable label="Phases" columns={columns} rows={found.phases} idOf={(phase) => String(phase.order)} />
      ) : null}
      <div className={styles.facets}>
        <KeyValue
          lines={[
            ...found.packages.map(({ name, version }, index) => ({
              key: found.packages.length === 1 ? 'Package' : `Package ${index + 1}`,
              value: (
                <>
                  <AppLink to="/library/$packageName" params={{ packageName: name }}>
                    {name}
                  </AppLink>{' '}
                  <span className="num">{version}</span>
                </>
              ),
            })),
            {
              key: 'Way back without another signature',
              value: found.returnsTo.length === 0 ? 'none' : `to ${found.returnsTo.join(', ')}`,
            },
            {
              key: 'When the health check fails',
              value: found.autoBackout ? 'the device returns by itself' : 'the device waits for an engineer',
            },
            {
              key: 'Removal',
              value: found.mayRemove ? 'devices may be told to remove it' : 'stays until it is replaced',
            },
            { key: 'Counter', value: <span className="num">{found.counter}</span> },
            { key: 'Manifest', value: <DigestText digest={found.manifestSha256} /> },
          ]}
        />
      </div>
    </SectionCard>
  )
}

const columns: ListColumn<CasePhase>[] = [
  {
    header: 'Phase',
    cell: (phase) => (
      <span className={styles.who}>
        <b>
          {phase.order}. {phase.name}
        </b>
        {phase.serverDecidesWho ? <Tag hue="gate" icon={IconServer2} label="server decides who" /> : null}
      </span>
    ),
  },
  { header: 'Devices', isNumber: true, cell: (phase) => formatCount(phase.devices) },
  {
    header: 'Not before',
    cell: (phase) => (phase.notBefore === null ? 'any time' : formatMoment(phase.notBefore)),
  },
  {
    header: 'Not after',
    isMinor: true,
    cell: (phase) => (phase.notAfter === null ? 'no end' : formatMoment(phase.notAfter)),
  },
]

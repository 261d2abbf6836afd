import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { IconShieldX } from '@tabler/icons-react'
import type { FleetFilter } from './device-source.ts'
import styles from './RefusalLine.module.css'
import { orpc } from '#/api/client.ts'
import { formatCount } from '#/ui/format.ts'

interface RefusalLineProps {
  release: string
  refusal: string
  onShow: (change: Partial<FleetFilter>) => void
}

/** Every check by which devices say no, with how many do and what they say. A click shows them. */
export function RefusalLine({ release, refusal, onShow }: RefusalLineProps) {
  const found = useQuery({
    ...orpc.views.fleet.refusals.queryOptions({ input: release === '' ? {} : { release } }),
    placeholderData: keepPreviousData,
  })
  const groups = found.data?.items ?? []
  if (groups.length === 0 && refusal === '') return null
  return (
    <section className={styles.refusals} aria-label="Refusals">
      <IconShieldX size={15} stroke={2} aria-hidden />
      <ul>
        {groups.map((group) => (
          <li key={`${group.code} ${group.rule}`}>
            <button
              type="button"
              aria-pressed={refusal === group.code}
              onClick={() => onShow({ refusal: refusal === group.code ? '' : group.code, work: '' })}
            >
              <b className="num">{formatCount(group.devices)}</b> refuse by <span className="mono">{group.rule}</span>
            </button>
            <span>{group.sentence}</span>
          </li>
        ))}
      </ul>
      {refusal === '' ? null : (
        <button type="button" onClick={() => onShow({ refusal: '' })}>
          Show all
        </button>
      )}
    </section>
  )
}

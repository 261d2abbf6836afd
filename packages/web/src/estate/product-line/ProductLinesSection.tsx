import { client, orpc, type Client } from '#/api/client.ts'
import { useCan } from '#/api/session.ts'
import { emptyAsNull, withoutEmpty } from '#/ui/form/input.ts'
import type { Field } from '#/ui/form/RecordDialog.tsx'
import { RecordsSection } from '#/ui/form/RecordsSection.tsx'
import type { ListColumn } from '#/ui/table/ListTable.tsx'

type ProductLine = Awaited<ReturnType<Client['estate']['productLine']['list']>>['items'][number]
type ProductLineInput = Parameters<Client['estate']['productLine']['create']>[0]

const pageRows = 100

export function ProductLinesSection() {
  const { productLine } = client.estate
  const canWrite = useCan('product-line.write')
  return (
    <RecordsSection<ProductLine>
      title="Product lines"
      lead="What releases belong to. Each line counts its releases, and a device never goes back in that count by mistake."
      one="product line"
      many="product lines"
      addVerb="Add product line"
      nothing={
        canWrite
          ? 'No product line yet. Add the first: every release belongs to one.'
          : 'No product line yet. A release manager adds the first: every release belongs to one.'
      }
      endVerb="Retire"
      endEffect="No new release is planned for it. Releases that exist go on."
      canWrite={canWrite}
      kindKey={orpc.estate.productLine.key()}
      load={(after, signal) => productLine.list({ limit: pageRows, ...after }, { signal })}
      idOf={(row) => row.id}
      nameOf={(row) => row.name}
      columns={columns}
      fieldsOf={fieldsOf}
      create={(values) => productLine.create(withoutEmpty(values) as ProductLineInput)}
      update={({ id, version }, values) => productLine.update({ ...emptyAsNull(values), productLineId: id, version })}
      end={({ id }) => productLine.retire({ productLineId: id })}
    />
  )
}

const columns: ListColumn<ProductLine>[] = [
  { header: 'Name', cell: (line) => <b>{line.name}</b> },
  { header: 'Code', cell: (line) => <span className="mono">{line.code}</span> },
  { header: 'Board', isMinor: true, cell: (line) => line.boardName ?? 'none yet' },
  { header: 'Releases', isNumber: true, cell: (line) => line.counter },
]

/** The code stays for ever: devices know the line by it. */
function fieldsOf(line: ProductLine | undefined): Field[] {
  const name: Field = { name: 'name', label: 'Name', isRequired: true, initial: line?.name ?? '' }
  const code: Field = {
    name: 'code',
    label: 'Code',
    description: 'A short word that stays for ever: sales-workbench',
    isRequired: true,
  }
  const board: Field = {
    name: 'boardName',
    label: 'Board',
    description: 'Who will decide about its releases',
    initial: line?.boardName ?? '',
  }
  return line === undefined ? [name, code, board] : [name, board]
}

import { ActionIcon, Button } from '@mantine/core'
import { IconPencil, IconPlus, IconTrash } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { CsvImportButton } from './CsvImportButton.tsx'
import { RecordDialog, type Field, type Values } from './RecordDialog.tsx'
import { EffectDialog } from '#/ui/ConfirmDialog.tsx'
import { EmptyState } from '#/ui/EmptyState.tsx'
import { KeysetTable } from '#/ui/table/KeysetTable.tsx'
import type { ListColumn } from '#/ui/table/ListTable.tsx'
import { useKeysetList, type KeysetPage } from '#/ui/use-keyset-list.ts'
import { SettingsSection } from '#/estate/settings/SettingsSection.tsx'

interface CsvCounts {
  created: number
  updated: number
  unchanged: number
}

export interface RecordsSectionProps<Row> {
  title: string
  lead: string
  /** "site", "sites". */
  one: string
  many: string
  addVerb: string
  nothing: string
  /** What to do about it, for who may: "Add the first, or import a file." */
  begin?: string
  /** Retiring said for this kind: "Call off", "Retire". */
  endVerb: string
  endEffect: string
  canWrite: boolean
  /** Of the whole kind; `listKey` adds what the list is narrowed to. */
  kindKey: readonly unknown[]
  listKey?: readonly unknown[]
  load: (after: { after?: string }, signal: AbortSignal) => Promise<KeysetPage<Row>>
  idOf: (row: Row) => string
  nameOf: (row: Row) => string
  columns: readonly ListColumn<Row>[]
  /** The fields of a new record, or of one that is changed. */
  fieldsOf: (row: Row | undefined) => readonly Field[]
  create: (values: Values) => Promise<unknown>
  update: (row: Row, values: Values) => Promise<unknown>
  end: (row: Row) => Promise<unknown>
  importCsv?: (text: string) => Promise<CsvCounts>
  filter?: ReactNode
}

type Open<Row> = { kind: 'add' } | { kind: 'change'; row: Row } | { kind: 'end'; row: Row } | null

/** Records that people keep: a list, a form for adding and changing, and a way to end them. */
export function RecordsSection<Row>(props: RecordsSectionProps<Row>) {
  const [open, setOpen] = useState<Open<Row>>(null)
  const queries = useQueryClient()
  const refresh = () => queries.invalidateQueries({ queryKey: props.kindKey })
  const list = useKeysetList([...props.kindKey, 'list', ...(props.listKey ?? [])], props.load)
  const onSuccess = async () => {
    setOpen(null)
    await refresh()
  }
  const save = useMutation({
    mutationFn: async (values: Values) =>
      open?.kind === 'change' ? await props.update(open.row, values) : await props.create(values),
    onSuccess,
  })
  const end = useMutation({ mutationFn: props.end, onSuccess })
  function show(next: Open<Row>) {
    save.reset()
    end.reset()
    setOpen(next)
  }
  const changed = open?.kind === 'change' ? open.row : undefined
  const verb = changed === undefined ? props.addVerb : 'Save'
  return (
    <SettingsSection
      title={props.title}
      lead={props.lead}
      actions={props.canWrite ? <Actions {...props} onAdd={() => show({ kind: 'add' })} onDone={refresh} /> : null}
    >
      {props.filter}
      <KeysetTable
        label={props.title}
        list={list}
        idOf={props.idOf}
        columns={props.canWrite ? [...props.columns, actsColumn(props, show)] : props.columns}
        empty={<EmptyState>{emptyWords(props)}</EmptyState>}
      />
      <RecordDialog
        isOpen={open?.kind === 'add' || open?.kind === 'change'}
        onClose={() => setOpen(null)}
        title={changed === undefined ? props.addVerb : `Change ${props.nameOf(changed)}`}
        verb={verb}
        fields={props.fieldsOf(changed)}
        error={save.error}
        isBusy={save.isPending}
        onSubmit={(values) => save.mutate(values)}
      />
      {open?.kind === 'end' ? (
        <EffectDialog
          isOpen
          isEnding
          onClose={() => setOpen(null)}
          title={`${props.endVerb} ${props.nameOf(open.row)}`}
          verb={props.endVerb}
          effect={props.endEffect}
          error={end.error}
          isBusy={end.isPending}
          onConfirm={() => end.mutate(open.row)}
        />
      ) : null}
    </SettingsSection>
  )
}

/** Nobody is told to press a button that is not there. */
function emptyWords<Row>({ nothing, begin, canWrite, many }: RecordsSectionProps<Row>): string {
  if (begin === undefined) return nothing
  return `${nothing} ${canWrite ? begin : `Whoever may change ${many} adds them here.`}`
}

interface ActionsProps<Row> extends RecordsSectionProps<Row> {
  onAdd: () => void
  onDone: () => Promise<void>
}

function Actions<Row>({ many, addVerb, importCsv, onAdd, onDone }: ActionsProps<Row>) {
  return (
    <>
      {importCsv === undefined ? null : (
        <CsvImportButton what={many} onImport={importCsv} onDone={() => void onDone()} />
      )}
      <Button leftSection={<IconPlus size={15} />} onClick={onAdd}>
        {addVerb}
      </Button>
    </>
  )
}

function actsColumn<Row>(props: RecordsSectionProps<Row>, show: (open: Open<Row>) => void): ListColumn<Row> {
  return {
    header: 'Actions',
    isQuiet: true,
    isNumber: true,
    cell: (row) => (
      <span style={{ display: 'inline-flex', gap: 2 }}>
        <ActionIcon
          variant="subtle"
          color="gray"
          size={24}
          aria-label={`Change ${props.nameOf(row)}`}
          title="Change"
          onClick={() => show({ kind: 'change', row })}
        >
          <IconPencil size={15} />
        </ActionIcon>
        <ActionIcon
          variant="subtle"
          color="gray"
          size={24}
          aria-label={`${props.endVerb} ${props.nameOf(row)}`}
          title={props.endVerb}
          onClick={() => show({ kind: 'end', row })}
        >
          <IconTrash size={15} />
        </ActionIcon>
      </span>
    ),
  }
}

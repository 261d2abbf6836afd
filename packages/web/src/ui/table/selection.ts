/** Which rows are chosen: some by name, or all that match the filter, kept as the filter and not as a list of ids. */
export type Selection =
  | { kind: 'some'; ids: ReadonlySet<string> }
  | { kind: 'all-matching'; except: ReadonlySet<string> }

export const nothingSelected: Selection = { kind: 'some', ids: new Set() }
export const everythingSelected: Selection = { kind: 'all-matching', except: new Set() }

export function isSelected(selection: Selection, id: string): boolean {
  return selection.kind === 'some' ? selection.ids.has(id) : !selection.except.has(id)
}

export function toggleSelected(selection: Selection, id: string): Selection {
  return selection.kind === 'some'
    ? { kind: 'some', ids: toggled(selection.ids, id) }
    : { kind: 'all-matching', except: toggled(selection.except, id) }
}

export function countSelected(selection: Selection, total: number): number {
  return selection.kind === 'some' ? selection.ids.size : total - selection.except.size
}

function toggled(ids: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const next = new Set(ids)
  if (!next.delete(id)) next.add(id)
  return next
}

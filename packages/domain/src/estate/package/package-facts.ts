/**
 * What is known about a device, flat and with dotted names: the same facts that the query language reads.
 * The rules of packages ask for `os`, `os.id`, `os.version`, `arch`, `disk.free.bytes`, `right.<name>` and
 * `package.<name>` (its installed version). A fact that is missing is unknown, never a yes.
 */
export type PackageFacts = Readonly<Record<string, string | number | boolean>>

/** The fact as text; numbers as they are written (`12`, `12.4`). */
export function textFact(facts: PackageFacts, name: string): string | undefined {
  const value = facts[name]
  return value === undefined ? undefined : String(value)
}

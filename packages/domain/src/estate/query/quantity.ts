const units: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['b', 1],
  ['kb', 1e3],
  ['mb', 1e6],
  ['gb', 1e9],
  ['tb', 1e12],
  ['pb', 1e15],
  ['kib', 2 ** 10],
  ['mib', 2 ** 20],
  ['gib', 2 ** 30],
  ['tib', 2 ** 40],
  ['pib', 2 ** 50],
  ['%', 1],
  ['s', 1],
  ['min', 60],
  ['h', 3600],
  ['d', 86_400],
])

/** `2GB` is 2,000,000,000, `2GiB` is 2,147,483,648, `3d` is 259,200 seconds. Undefined for what is not a number. */
export function parseQuantity(text: string): number | undefined {
  const found = /^(-?\d{1,15}(?:\.\d{1,15})?)([a-z%]{0,3})$/i.exec(text)
  const factor = units.get(found?.[2]?.toLowerCase() ?? '?')
  if (!found || factor === undefined) return undefined
  return Number(found[1]) * factor
}

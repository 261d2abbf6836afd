export interface BaselineDifference {
  readonly device: string
  readonly package: string
  /** Version with digest, or null where there was nothing. */
  readonly before: string | null
  readonly after: string | null
}

/**
 * What differs between two baselines, in the order of their lines: `device TAB package TAB version TAB digest`. The same
 * version with another digest is a difference, because it is other software.
 */
export function diffBaselines(before: string, after: string): BaselineDifference[] {
  const [old, now] = [entriesOf(before), entriesOf(after)]
  const keys = Array.from(new Set([...old.keys(), ...now.keys()])).toSorted()
  return keys.flatMap((key) => {
    const [was, is] = [old.get(key), now.get(key)]
    if (was?.digest === is?.digest && was?.version === is?.version) return []
    const [device = '', name = ''] = key.split('\t')
    const isSameVersion = was?.version === is?.version
    return [{ device, package: name, before: shown(was, isSameVersion), after: shown(is, isSameVersion) }]
  })
}

interface Entry {
  readonly version: string
  readonly digest: string
}

function entriesOf(content: string): Map<string, Entry> {
  const lines = content === '' ? [] : content.split('\n')
  return new Map(
    lines.map((line) => {
      const [device = '', name = '', version = '', digest = ''] = line.split('\t')
      return [`${device}\t${name}`, { version, digest }]
    }),
  )
}

function shown(entry: Entry | undefined, withDigest: boolean): string | null {
  if (entry === undefined) return null
  return withDigest ? `${entry.version} (${entry.digest.slice(0, 19)})` : entry.version
}

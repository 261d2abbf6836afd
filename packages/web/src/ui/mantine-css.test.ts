import { expect, test } from 'vitest'

const sources = import.meta.glob<string>('../**/*.tsx', { query: '?raw', import: 'default', eager: true })
const styles = import.meta.glob('../../../../node_modules/@mantine/core/styles/*.layer.css')
const styled = new Set(Object.keys(styles).map((path) => path.replace(/^.*\/(\w+)\.layer\.css$/, '$1')))
const [list = ''] = Object.values(
  import.meta.glob<string>('./mantine-css.ts', { query: '?raw', import: 'default', eager: true }),
)
const listed = new Set([...list.matchAll(/styles\/(\w+)\.layer\.css/g)].map((match) => match[1]))

/** Components of the kit that a page imports and that have a style of their own. */
function styledImports(): string[] {
  const names = Object.values(sources).flatMap((source) =>
    (/import \{([^}]*)\} from '@mantine\/core'/s.exec(source)?.[1] ?? '').split(',').map((name) => name.trim()),
  )
  return [...new Set(names)].filter((name) => styled.has(name))
}

test('every component of the kit that a page uses brings its style', () => {
  expect(styledImports().length).toBeGreaterThan(10)
  expect(styledImports().filter((name) => !listed.has(name))).toEqual([])
})

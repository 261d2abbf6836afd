import { useLocalStorage } from '@mantine/hooks'
import { useEffect } from 'react'

export type Density = 'compact' | 'comfortable'

/** The same numbers as `--row-height` in tokens.css: rows that are placed one by one must know theirs. */
const rowHeights: Readonly<Record<Density, number>> = { compact: 32, comfortable: 40 }

/** How close rows stand, kept by this browser. `public/color-scheme.js` reads the same key before the first paint. */
export function useDensity() {
  const [kept, setDensity] = useLocalStorage<Density>({
    key: 'bascule.density',
    defaultValue: 'compact',
    getInitialValueInEffect: false,
  })
  const density: Density = kept === 'comfortable' ? 'comfortable' : 'compact'
  useEffect(() => {
    document.documentElement.dataset['density'] = density
  }, [density])
  return { density, setDensity, rowHeight: rowHeights[density] }
}

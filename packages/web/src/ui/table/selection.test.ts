import { expect, test } from 'vitest'
import { countSelected, everythingSelected, isSelected, nothingSelected, toggleSelected } from './selection.ts'

test('all that match is a filter with exceptions, so rows never loaded are selected too', () => {
  const allButOne = toggleSelected(everythingSelected, 'device-7')
  expect(isSelected(allButOne, 'never-loaded')).toBe(true)
  expect(isSelected(allButOne, 'device-7')).toBe(false)
  expect(countSelected(allButOne, 100_000)).toBe(99_999)
})

test('choosing a row twice leaves nothing chosen', () => {
  const twice = toggleSelected(toggleSelected(nothingSelected, 'device-7'), 'device-7')
  expect(countSelected(twice, 100_000)).toBe(0)
})

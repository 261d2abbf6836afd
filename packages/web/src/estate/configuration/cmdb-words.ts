import type { Client } from '#/api/client.ts'

export type Change = Awaited<ReturnType<Client['estate']['configuration']['history']>>['items'][number]
export type Item = Awaited<ReturnType<Client['estate']['configuration']['listItems']>>['items'][number]
export type ItemDetails = Awaited<ReturnType<Client['estate']['configuration']['getItem']>>

export const classWords: Record<Item['class'], string> = { service: 'Service', software: 'Software', device: 'Device' }

/** "page-builder: nothing → 0.28.2", or what of an item's own words changed. */
export function changeWords({ change, package: name, before, after }: Change): string {
  const from = versionIn(before)
  const to = versionIn(after)
  if (name !== null && change === 'confirmed') return `${name} ${to ?? ''} found as expected`
  if (name !== null) return `${name}: ${from ?? 'nothing'} → ${to ?? 'nothing'}`
  return change === 'added' ? 'Entered the CMDB' : change === 'retired' ? 'Left the CMDB' : 'Changed'
}

function versionIn(attributes: Record<string, unknown> | null): string | undefined {
  const version = attributes?.['version']
  return typeof version === 'string' ? version : undefined
}

import type { Platform } from './platform.ts'

/** Windows is not supported yet. Every call says so, so that nobody takes this for a working agent. */
export const windows: Platform = {
  os: 'windows',
  freeBytes: () => notYet('free space'),
  facts: () => notYet('the inventory'),
  isolate: () => notYet('isolated commands'),
  bootId: () => notYet('the boot id'),
  processStart: () => notYet('the start of a process'),
}

function notYet(what: string): never {
  throw new Error(`The agent does not work on Windows yet: ${what} is missing.`)
}

import type { Platform } from './platform.ts'

/** macOS is not supported yet. Every call says so, so that nobody takes this for a working agent. */
export const darwin: Platform = {
  os: 'darwin',
  freeBytes: () => notYet('free space'),
  facts: () => notYet('the inventory'),
  isolate: () => notYet('isolated commands'),
  bootId: () => notYet('the boot id'),
  processStart: () => notYet('the start of a process'),
}

function notYet(what: string): never {
  throw new Error(`The agent does not work on macOS yet: ${what} is missing.`)
}

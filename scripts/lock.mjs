import { runPinned } from './lib/bootstrap.mjs'

await runPinned('lock.ts')

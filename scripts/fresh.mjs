import { runPinned } from './lib/bootstrap.mjs'

await runPinned('fresh.ts')

import { runPinned } from './lib/bootstrap.mjs'

await runPinned('start.ts')

import { runPinned } from './lib/bootstrap.mjs'

await runPinned('bench.ts')

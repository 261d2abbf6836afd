import { runPinned } from './lib/bootstrap.mjs'

await runPinned('check.ts')

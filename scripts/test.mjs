import { runPinned } from './lib/bootstrap.mjs'

await runPinned('test.ts')

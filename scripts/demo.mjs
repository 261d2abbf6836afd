import { runPinned } from './lib/bootstrap.mjs'

await runPinned('demo.ts')

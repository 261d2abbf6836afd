import { runPinned } from './lib/bootstrap.mjs'

await runPinned('matrix.ts')

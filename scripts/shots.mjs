import { runPinned } from './lib/bootstrap.mjs'

await runPinned('shots.ts')

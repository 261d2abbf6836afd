import { runPinned } from './lib/bootstrap.mjs'

await runPinned('fuzz.ts')

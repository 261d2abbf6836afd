import { runPinned } from './lib/bootstrap.mjs'

await runPinned('mutants.ts')

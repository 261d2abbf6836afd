import { runPinned } from './lib/bootstrap.mjs'

await runPinned('proof.ts')

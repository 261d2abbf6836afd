import { runFuzz } from '@bascule/trust/testing/run-fuzz.ts'

/** A share of `npm run fuzz`: so many runs from this seed, told line by line. */
const [runs, seed] = process.argv.slice(2).map(Number) as [number, number]
const tally = await runFuzz({ runs, seed, onProgress: (progress) => console.log(JSON.stringify(progress)) })
console.log(JSON.stringify(tally))

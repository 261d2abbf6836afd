import { buildAgent, buildWeb } from './lib/build.ts'

/** A step of `npm test`: builds what is built. */
const [web, agent] = [await buildWeb(), await buildAgent()]
console.log(`web ${web ? 'built' : 'up to date'}, agent ${agent ? 'built' : 'up to date'}`)

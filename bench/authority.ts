import { benchFirstContact } from './lib/authority/first-contact.ts'
import { benchDirector } from './lib/authority/director.ts'
import { benchPublication } from './lib/authority/publication.ts'
import { printMachine } from './lib/report.ts'

/**
 * What the board's signatures cost: the signer that orders, the way from a member's signature to the first verified
 * receipt of a real agent, that agent's check-ins when nothing is new, and a device that learns everything anew.
 */
printMachine('authority')
await benchDirector()
await using world = await benchPublication()
await benchFirstContact(world)

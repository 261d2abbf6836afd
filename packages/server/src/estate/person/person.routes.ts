import { os } from '#/platform/http/os.ts'
import { answer } from '#/platform/lib/answer.ts'
import { importPeople } from './import-people.ts'
import { changePerson, createPerson, getPerson, listPeople, retirePerson } from './person.service.ts'

const { person } = os.estate

export const personRoutes = person.router({
  list: person.list.handler(async ({ input, context }) => await listPeople(context, input)),
  get: person.get.handler(async ({ input, context }) => answer(await getPerson(context, input.personId))),
  create: person.create.handler(async ({ input, context }) => answer(await createPerson(context, input))),
  update: person.update.handler(async ({ input, context }) => answer(await changePerson(context, input))),
  retire: person.retire.handler(async ({ input, context }) => answer(await retirePerson(context, input.personId))),
  import: person.import.handler(async ({ input, context }) => answer(await importPeople(context, input))),
})

import { os } from '#/platform/http/os.ts'
import { answer } from '#/platform/lib/answer.ts'
import {
  changeAbsence,
  createAbsence,
  getAbsence,
  importAbsences,
  listAbsences,
  retireAbsence,
} from './absence.service.ts'

const { absence } = os.estate

export const absenceRoutes = absence.router({
  list: absence.list.handler(async ({ input, context }) => await listAbsences(context, input)),
  get: absence.get.handler(async ({ input, context }) => answer(await getAbsence(context, input.absenceId))),
  create: absence.create.handler(async ({ input, context }) => answer(await createAbsence(context, input))),
  update: absence.update.handler(async ({ input, context }) => answer(await changeAbsence(context, input))),
  retire: absence.retire.handler(async ({ input, context }) => answer(await retireAbsence(context, input.absenceId))),
  import: absence.import.handler(async ({ input, context }) => answer(await importAbsences(context, input))),
})

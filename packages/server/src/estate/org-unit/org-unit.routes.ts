import { os } from '#/platform/http/os.ts'
import { answer } from '#/platform/lib/answer.ts'
import { importOrgUnits } from './import-org-units.ts'
import { changeOrgUnit, createOrgUnit, getOrgUnit, listOrgUnits, retireOrgUnit } from './org-unit.service.ts'

const { orgUnit } = os.estate

export const orgUnitRoutes = orgUnit.router({
  list: orgUnit.list.handler(async ({ input, context }) => await listOrgUnits(context.db, input)),
  get: orgUnit.get.handler(async ({ input, context }) => answer(await getOrgUnit(context.db, input.orgUnitId))),
  create: orgUnit.create.handler(async ({ input, context }) => answer(await createOrgUnit(context, input))),
  update: orgUnit.update.handler(async ({ input, context }) => answer(await changeOrgUnit(context, input))),
  retire: orgUnit.retire.handler(async ({ input, context }) => answer(await retireOrgUnit(context, input.orgUnitId))),
  import: orgUnit.import.handler(async ({ input, context }) => answer(await importOrgUnits(context, input))),
})

import { mayActFor } from '#/estate/role/role.service.ts'
import { os } from '#/platform/http/os.ts'
import { answer, forbidden } from '#/platform/lib/answer.ts'
import { claimFirstAdministrator, createSignInCode, signInLink } from './one-time-code.service.ts'
import { describeSession, setPassword } from './session.service.ts'

const { session, welcome } = os.platform

export const sessionRoutes = session.router({
  me: session.me.handler(async ({ context }) => await describeSession(context, context.services.config.environment)),
  setPassword: session.setPassword.handler(async ({ input, context }) => answer(await setPassword(context, input))),
  makeLink: session.makeLink.handler(async ({ input, context }) => {
    if (!(await mayActFor(context, input.personId))) throw forbidden('role.grant')
    const { code, expiresAt } = answer(await createSignInCode(context.db, context, input.personId))
    return { url: signInLink(context.services.publicUrl(), code), expiresAt: expiresAt.toString() }
  }),
})

export const welcomeRoutes = welcome.router({
  claim: welcome.claim.handler(async ({ input, context }) =>
    answer(await claimFirstAdministrator(context.db, context.now, input)),
  ),
})

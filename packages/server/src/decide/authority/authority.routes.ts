import { os } from '#/platform/http/os.ts'
import { viewAuthority } from './authority-view.ts'

const { authority } = os.decide

export const authorityRoutes = authority.router({
  get: authority.get.handler(async ({ context }) => await viewAuthority(context, context.services)),
})

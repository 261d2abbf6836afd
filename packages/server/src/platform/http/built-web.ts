import { fileURLToPath } from 'node:url'

/** Where the build of the web application lies in a checkout. */
export const builtWeb = fileURLToPath(new URL('../../../../web/dist', import.meta.url))

import { randomBytes } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { buildDemoPackages } from '#demo/package/build-demo-packages.ts'
import { runCommand } from '../lib/command.ts'
import { root } from '../lib/root.ts'
import type { RunningServer } from '../lib/server-process.ts'
import { AnsweredNo, connectApi } from './api.ts'
import type { Api } from './api.ts'
import { ensureBoard, signGo } from './demo-board.ts'
import { demoFolder, hasDemo, readDemo, writeDemo } from './demo-state.ts'
import type { DemoState } from './demo-state.ts'
import type { StartOptions } from './options.ts'
import { keeper, orgUnits, people, planRelease, productLine, roleGrants, sites } from './demo-story.ts'

/** The demo as it stands: who seeds it, and where it has got to. */
export interface Demo {
  readonly api: Api
  readonly state: DemoState
}

type Tell = (sentence: string) => void

/**
 * Makes the demo's organisation, library and release plan through the public API and the command line, as a user would. Safe to
 * run again after it was cut off anywhere: every step finds what it made before.
 */
export async function seedDemo(
  server: RunningServer,
  { dataFolder, soakSeconds }: StartOptions,
  tell: Tell,
): Promise<Demo> {
  const state = hasDemo(dataFolder) ? await readDemo(dataFolder) : await rememberAdministrator(dataFolder)
  const api = await signInAsAdministrator(server, state)
  if (state.releaseId !== undefined) return { api, state }

  tell('Seeding the demo: an organisation with three sites')
  await importOrganisation(api)
  tell('Seeding the demo: two versions of a package')
  await ensureProductLine(api)
  await pushPackages(api, join(demoFolder(dataFolder), 'packages'))
  tell('Seeding the demo: a board of three, two of whom decide')
  await ensureBoard(api, dataFolder)
  const { releaseId } = await api.post<{ releaseId: string }>('/releases', planRelease(soakSeconds))
  return { api, state: await writeDemo(dataFolder, { ...state, releaseId }) }
}

/**
 * Asks the board about the release, has two members sign, and starts it once; the devices have enrolled before, because
 * a frozen audience holds only who is there.
 */
export async function startRelease(dataFolder: string, { api, state }: Demo): Promise<DemoState> {
  if (state.started || state.releaseId === undefined) return state
  const { releaseId } = state
  const { items } = await api.get<{ items: { id: string }[] }>(`/decide/cases?releaseId=${releaseId}`)
  const caseId =
    items[0]?.id ?? (await api.post<{ caseId: string }>(`/releases/${releaseId}/ask-board`, { path: 'normal' })).caseId
  await signGo(api, dataFolder, caseId)
  await okTwice(() => api.post(`/releases/${state.releaseId}/rollout/start`, {}))
  return await writeDemo(dataFolder, { ...state, started: true })
}

/** Written before the account is made: after a cut in between, the same password is used again. */
async function rememberAdministrator(dataFolder: string): Promise<DemoState> {
  const admin = { email: keeper.email, password: randomBytes(18).toString('base64url') }
  return await writeDemo(dataFolder, { admin, enrolled: [] })
}

async function signInAsAdministrator(server: RunningServer, { admin }: DemoState): Promise<Api> {
  const api = connectApi(server.url)
  const code = server.welcome === undefined ? null : new URL(server.welcome).searchParams.get('code')
  if (code !== null) {
    await api.post('/platform/welcome', { code, name: keeper.name, ...admin, timeZone: 'Europe/London' })
  }
  const answer = await fetch(`${server.url}/api/auth/sign-in/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: server.url },
    body: JSON.stringify(admin),
  })
  if (!answer.ok) throw new Error(`The demo could not sign in: ${answer.status} ${await answer.text()}`)
  const cookie = answer.headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ')
  return api.as({ cookie })
}

async function importOrganisation(api: Api): Promise<void> {
  await api.importCsv('/estate/sites/import', sites)
  await api.importCsv('/estate/org-units/import', orgUnits)
  await api.importCsv('/estate/people/import', people)
  await api.importCsv('/estate/role-grants/import', roleGrants)
}

async function ensureProductLine(api: Api): Promise<void> {
  await okTwice(() => api.post('/estate/product-lines', productLine))
}

/** Pushes with the command line and a pipeline's key, which is worth nothing afterwards. The same bytes again are harmless. */
async function pushPackages(api: Api, folder: string): Promise<void> {
  const input = { name: 'demo', role: 'pipeline', expiresInDays: 1 }
  const { id, key } = await api.post<{ id: string; key: string }>('/platform/api-keys', input)
  await mkdir(folder, { recursive: true })
  for (const { layout, version } of await buildDemoPackages(folder)) {
    if (!version.endsWith('-bad')) await push(api.url, key, layout)
  }
  await api.post(`/platform/api-keys/${id}/revoke`, {})
  await rm(folder, { recursive: true })
}

async function push(server: string, key: string, layout: string): Promise<void> {
  const cli = join(root, 'packages', 'cli', 'src', 'main.ts')
  const outcome = await runCommand({
    name: 'bascule push',
    run: [process.execPath, cli, 'push', layout],
    env: { BASCULE_SERVER: server, BASCULE_API_KEY: key },
  })
  if (!outcome.ok) throw new Error(`Pushing the demo's package failed:\n${outcome.output}`)
}

/** A link that signs the demo's release manager in, once. */
export async function makeSignInLink({ api }: Demo): Promise<string> {
  const { items } = await api.get<{ items: { id: string }[] }>('/estate/people?search=nadia')
  const [person] = items
  if (person === undefined) throw new Error('The demo has lost its release manager.')
  const { url } = await api.post<{ url: string }>('/platform/sign-in-links', { personId: person.id })
  return url
}

/** A second try after a cut finds the thing done: the server then says 409, and that is as good as done. */
async function okTwice(attempt: () => Promise<unknown>): Promise<void> {
  try {
    await attempt()
  } catch (cause) {
    if (!(cause instanceof AnsweredNo) || cause.status !== 409) throw cause
  }
}

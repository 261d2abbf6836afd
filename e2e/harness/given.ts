import { readFile } from 'node:fs/promises'
import { connectApi } from '#scripts/start/api.ts'
import type { Api } from '#scripts/start/api.ts'
import { orgUnits, productLine, sites } from '#scripts/start/demo-story.ts'
import { until } from '#scripts/start/until.ts'
import type { Bascule } from './bascule.ts'
import type { Board } from './board.ts'
import { startDevice } from './devices.ts'
import type { Device } from './devices.ts'
import { demoPackages } from './packages.ts'
import type { DemoPackages } from './packages.ts'

// What a journey takes as given, made through the public API; what it is about, it does in the browser.

export const ada = { name: 'Ada Keeper', email: 'ada@example.test', password: 'a long password for a test' }

/** Ada becomes the first administrator and release manager; the API acts as she does. */
export async function givenAda(bascule: Bascule): Promise<Api> {
  const api = connectApi(bascule.url)
  const code = new URL(bascule.welcomeLink).searchParams.get('code')
  await api.post('/platform/welcome', { code, ...ada, timeZone: 'Europe/London' })
  const signedIn = api.as({ cookie: await signIn(bascule.url) })
  await signedIn.importCsv('/estate/role-grants/import', [
    'email,role,org_unit,site',
    `${ada.email},release-manager,,`,
    `${ada.email},configuration-manager,,`,
    `${ada.email},board-member,,`,
  ])
  return signedIn
}

async function signIn(url: string): Promise<string> {
  const answer = await fetch(`${url}/api/auth/sign-in/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: url },
    body: JSON.stringify({ email: ada.email, password: ada.password }),
  })
  if (!answer.ok) throw new Error(`Signing in failed: ${answer.status} ${await answer.text()}`)
  return answer.headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ')
}

/** Sites and org units of the demo, its product line, and all three versions of the package in the library. */
export async function givenEstate(api: Api): Promise<DemoPackages> {
  const packages = await demoPackages()
  await api.importCsv('/estate/sites/import', sites)
  await api.importCsv('/estate/org-units/import', orgUnits)
  await api.post('/estate/product-lines', productLine)
  for (const { tar } of [packages.old, packages.new, packages.bad]) await upload(api, tar)
  return packages
}

async function upload(api: Api, tar: string): Promise<void> {
  await api.send('POST', '/library/import', 'application/x-tar', await readFile(tar))
}

export interface GivenDevice {
  readonly name: string
  readonly site: string
  readonly orgUnit: string
  readonly roles: readonly string[]
  readonly facts?: Readonly<Record<string, string | number | boolean>>
}

/** Real agents that have enrolled, each with a token of its own, and that the server knows as active. */
export async function givenDevices(bascule: Bascule, api: Api, plans: readonly GivenDevice[]): Promise<Device[]> {
  const devices = await Promise.all(
    plans.map(async (plan) => {
      const { site, orgUnit, roles, name } = plan
      const input = { site, orgUnit, roles, label: name, autoApprove: true }
      const { token } = await api.post<{ token: string }>('/estate/enrolment-tokens', input)
      return await startDevice(bascule, { ...plan, token })
    }),
  )
  await until(
    `${plans.length} devices have enrolled`,
    async () => {
      const { active } = await api.get<{ active: number }>('/devices/count?query=')
      return active === plans.length
    },
    120_000,
  )
  return devices
}

export interface GivenPhase {
  readonly name: string
  readonly query: string
  readonly inFlightMax?: number
  readonly failureBudget?: number
}

export interface GivenRelease {
  readonly title: string
  readonly version: string
  readonly phases: readonly GivenPhase[]
}

/** A plan that carries one version of the demo's package to every device. */
export async function givenRelease(api: Api, { title, version, phases }: GivenRelease): Promise<string> {
  const { releaseId } = await api.post<{ releaseId: string }>('/releases', {
    title,
    version,
    productLine: productLine.code,
    packages: [{ name: 'esbuild', version }],
    audience: { query: '', mode: 'frozen' },
    verifyLevel: 4,
    phases: phases.map((phase) => ({
      inFlightMax: 10,
      failureBudget: 1,
      ...phase,
      advanceAtPermille: 1000,
      soakSeconds: 0,
    })),
  })
  return releaseId
}

/** The version that every device has before the story begins, brought there by a release of its own. */
export async function givenInstalled(api: Api, board: Board, version: string): Promise<void> {
  const releaseId = await givenRelease(api, {
    title: `esbuild ${version}`,
    version,
    phases: [{ name: 'Everybody', query: '' }],
  })
  await board.letOut(releaseId)
  await api.post(`/releases/${releaseId}/rollout/start`, {})
  await until(
    `every device runs ${version}`,
    async () => (await rolloutOf(api, releaseId)).state === 'completed',
    150_000,
  )
}

/** What the API says of a rollout, as far as journeys compare it with the page and the devices. */
export interface RolloutSeen {
  readonly state: string
  readonly phases: readonly {
    readonly order: number
    readonly name: string
    readonly state: string
    readonly tally: {
      readonly size: number
      readonly failures: number
      readonly inFlight: number
      readonly verified: number
    }
  }[]
}

export async function rolloutOf(api: Api, releaseId: string): Promise<RolloutSeen> {
  return await api.get<RolloutSeen>(`/releases/${releaseId}/rollout`)
}

export interface JobSeen {
  readonly deviceId: string
  readonly device: string
  readonly job: string
  readonly phase: number
  readonly state: string
  readonly sentence: string | null
}

/** Devices of a rollout that have acted. */
export async function jobsOf(api: Api, releaseId: string): Promise<readonly JobSeen[]> {
  const { items } = await api.get<{ items: JobSeen[] }>(`/releases/${releaseId}/jobs?limit=100`)
  return items
}

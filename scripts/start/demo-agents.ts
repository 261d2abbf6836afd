import { join } from 'node:path'
import { startAgent } from '../lib/agent-process.ts'
import type { Programs } from '../lib/programs.ts'
import type { Api } from './api.ts'
import { demoFolder, writeDemo } from './demo-state.ts'
import type { DemoState } from './demo-state.ts'
import { devices } from './demo-story.ts'
import type { DemoDevice } from './demo-story.ts'
import { until } from './until.ts'
import type { Demo } from './demo.ts'

/** Starts the six agents, each in its own folder; those that the server does not know yet enrol with a token. */
export async function startDemoAgents(
  { api, state }: Demo,
  dataFolder: string,
  programs: Programs,
): Promise<DemoState> {
  let known = state
  for (const device of devices) {
    const isNew = !known.enrolled.includes(device.name)
    const token = isNew ? { token: await makeToken(api, device) } : {}
    const folder = join(demoFolder(dataFolder), 'devices', device.name)
    programs.add(await startAgent({ ...device, folder, serverUrl: api.url, ...token }))
    if (isNew) await until(`${device.name} has enrolled`, () => isKnown(api, device))
    if (isNew) known = await writeDemo(dataFolder, { ...known, enrolled: [...known.enrolled, device.name] })
  }
  return known
}

async function makeToken(api: Api, device: DemoDevice): Promise<string> {
  const { name, site, orgUnit, roles } = device
  const { token } = await api.post<{ token: string }>('/estate/enrolment-tokens', {
    site,
    orgUnit,
    roles,
    label: name,
    autoApprove: true,
  })
  return token
}

async function isKnown(api: Api, { name }: DemoDevice): Promise<boolean> {
  const { items } = await api.get<{ items: { name: string; state: string }[] }>(
    `/devices?query=${encodeURIComponent(`name:${name}`)}`,
  )
  return items.some((one) => one.name === name && one.state === 'active')
}

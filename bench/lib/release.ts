import type { Api } from '#scripts/start/api.ts'

interface Phase {
  readonly name: string
  readonly query?: string
  readonly inFlightMax?: number
  readonly failureBudget?: number
}

/** Plans a release of the one package for all simulated devices; answers its id. */
export async function planRelease(api: Api, phases: readonly Phase[]): Promise<string> {
  const { releaseId } = await api.post<{ releaseId: string }>('/releases', {
    title: 'Sales Desk',
    version: '2.0.0',
    productLine: 'sales-desk',
    packages: [{ name: 'salesdesk', version: '2.0.0' }],
    audience: { query: 'os:linux', mode: 'frozen' },
    phases,
  })
  return releaseId
}

export async function startRollout(api: Api, releaseId: string): Promise<void> {
  await api.post(`/releases/${releaseId}/rollout/start`, {})
}

export async function untilFirstPhaseOpens(api: Api, releaseId: string): Promise<void> {
  for (;;) {
    const { phases } = await api.get<{ phases: { state: string }[] }>(`/releases/${releaseId}/rollout`)
    if (phases[0]?.state === 'open') return
  }
}

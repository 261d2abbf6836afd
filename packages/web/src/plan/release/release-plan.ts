import type { Client } from '#/api/client.ts'

export type ReleasePlan = Parameters<Client['plan']['release']['create']>[0]
export type Release = Awaited<ReturnType<Client['plan']['release']['get']>>

/** One phase as a person writes it: shares in percent, times in hours. */
export interface PhaseDraft {
  key: string
  name: string
  query: string
  advancePercent: number
  successPercentMin: number
  failureBudget: number
  inFlightMax: number
  soakHours: number
  silenceBudget: number
  /** "2026-11-25T20:00" in the viewer's zone; empty means at any time. */
  notBefore: string
  notAfter: string
}

export interface PackageDraft {
  key: string
  name: string
  version: string
}

export interface PlanDraft {
  title: string
  version: string
  productLine: string
  objective: string
  packages: PackageDraft[]
  query: string
  mode: 'frozen' | 'dynamic'
  phases: PhaseDraft[]
  verifyLevel: string
  autoBackout: boolean
  backOut: NonNullable<ReleasePlan['backOut']>
  mayRemove: boolean
}

const secondsPerHour = 3600

/** Three phases that stop early and grow: the plan that most releases should have. */
export function emptyDraft(newKey: () => string): PlanDraft {
  const phase = (name: string, query: string, change: Partial<PhaseDraft>): PhaseDraft => ({
    key: newKey(),
    name,
    query,
    advancePercent: 95,
    successPercentMin: 95,
    failureBudget: 1,
    inFlightMax: 10,
    soakHours: 24,
    silenceBudget: 0,
    notBefore: '',
    notAfter: '',
    ...change,
  })
  return {
    title: '',
    version: '',
    productLine: '',
    objective: '',
    packages: [{ key: newKey(), name: '', version: '' }],
    query: '',
    mode: 'frozen',
    phases: [
      phase('Pilot', 'sample:5%', {}),
      phase('First quarter', 'sample:25%', { failureBudget: 5, inFlightMax: 100, soakHours: 24 }),
      phase('Everybody', '', {
        advancePercent: 98,
        failureBudget: 25,
        inFlightMax: 500,
        soakHours: 0,
        silenceBudget: 25,
      }),
    ],
    verifyLevel: '4',
    autoBackout: true,
    backOut: 'pre-authorised',
    mayRemove: true,
  }
}

export function audienceOf(draft: PlanDraft): ReleasePlan['audience'] {
  return { query: draft.query.trim(), mode: draft.mode }
}

export function phasesOf(draft: PlanDraft): ReleasePlan['phases'] {
  return draft.phases.map((phase) => ({
    name: phase.name.trim(),
    query: phase.query.trim(),
    advanceAtPermille: Math.round(phase.advancePercent * 10),
    successPermilleMin: Math.round(phase.successPercentMin * 10),
    failureBudget: phase.failureBudget,
    inFlightMax: phase.inFlightMax,
    soakSeconds: Math.round(phase.soakHours * secondsPerHour),
    silenceBudget: phase.silenceBudget,
    notBefore: instantFrom(phase.notBefore),
    notAfter: instantFrom(phase.notAfter),
  }))
}

/** What a browser's date and time field holds is in the viewer's zone; on the wire it is an instant. */
function instantFrom(local: string): string | null {
  return local === '' ? null : new Date(local).toISOString()
}

function localFrom(instant: string | null | undefined): string {
  if (instant === null || instant === undefined) return ''
  const at = new Date(instant)
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

/** A plan that exists, as a person writes it. */
export function draftFrom(plan: Release, newKey: () => string): PlanDraft {
  return {
    title: plan.title,
    version: plan.version,
    productLine: plan.productLine,
    objective: plan.objective,
    packages: plan.packages.map(({ name, version }) => ({ key: newKey(), name, version })),
    query: plan.audience.query,
    mode: plan.audience.mode,
    verifyLevel: String(plan.verifyLevel),
    autoBackout: plan.autoBackout,
    backOut: plan.backOut,
    mayRemove: plan.mayRemove,
    phases: plan.phases.map((phase) => ({
      key: newKey(),
      name: phase.name,
      query: phase.query,
      advancePercent: phase.advanceAtPermille / 10,
      successPercentMin: phase.successPermilleMin / 10,
      failureBudget: phase.failureBudget,
      inFlightMax: phase.inFlightMax,
      soakHours: phase.soakSeconds / secondsPerHour,
      silenceBudget: phase.silenceBudget,
      notBefore: localFrom(phase.notBefore),
      notAfter: localFrom(phase.notAfter),
    })),
  }
}

export function planOf(draft: PlanDraft): ReleasePlan {
  return {
    title: draft.title.trim(),
    version: draft.version.trim(),
    productLine: draft.productLine.trim(),
    objective: draft.objective.trim(),
    packages: draft.packages.map(({ name, version }) => ({ name: name.trim(), version: version.trim() })),
    audience: audienceOf(draft),
    phases: phasesOf(draft),
    verifyLevel: Number(draft.verifyLevel),
    autoBackout: draft.autoBackout,
    backOut: draft.backOut,
    mayRemove: draft.mayRemove,
  }
}

import type { May } from './needs.ts'
import { useCan } from '#/api/session.ts'

export function useMay(): May {
  const ask = useCan('release.write')
  const start = useCan('rollout.start')
  const retry = useCan('job.retry')
  const approve = useCan('device.approve')
  const seeDevices = useCan('device.read')
  return { ask, start, retry, approve, seeDevices }
}

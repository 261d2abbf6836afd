import * as z from 'zod'
import { releaseId } from '../lib/ids.ts'
import { procedure } from '../lib/procedure.ts'
import { ReleaseRow } from './release.ts'

const one = z.object({ releaseId })

/** Releases that a person keeps at hand. Who sees releases may pin some; nobody else sees which. */
export const pinnedRelease = {
  list: procedure
    .meta({ permission: 'release.read' })
    .route({ method: 'GET', path: '/pinned-releases', summary: 'Releases that you pinned, in the order of pinning' })
    .output(z.array(ReleaseRow)),
  pin: procedure
    .meta({ permission: 'release.read' })
    .route({ method: 'POST', path: '/releases/{releaseId}/pin', summary: 'Keep a release at hand' })
    .input(one)
    .output(one),
  unpin: procedure
    .meta({ permission: 'release.read' })
    .route({ method: 'DELETE', path: '/releases/{releaseId}/pin', summary: 'Keep a release at hand no longer' })
    .input(one)
    .output(one),
}

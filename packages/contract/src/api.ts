import { authority } from './decide/authority.ts'
import { board } from './decide/board.ts'
import { decisionCase } from './decide/case.ts'
import { draft } from './decide/draft.ts'
import { memberKey } from './decide/member-key.ts'
import { job, phase, receipt, rollout } from './deliver/rollout.ts'
import { absence } from './estate/absence.ts'
import { audience } from './estate/audience.ts'
import { configuration } from './estate/configuration.ts'
import { device } from './estate/device.ts'
import { enrolmentToken } from './estate/enrolment-token.ts'
import { library } from './estate/library.ts'
import { orgUnit } from './estate/org-unit.ts'
import { person } from './estate/person.ts'
import { productLine } from './estate/product-line.ts'
import { role } from './estate/role.ts'
import { savedView } from './estate/saved-view.ts'
import { service } from './estate/service.ts'
import { site } from './estate/site.ts'
import { pinnedRelease } from './plan/pinned-release.ts'
import { release } from './plan/release.ts'
import { apiKey } from './platform/api-key.ts'
import { ledger } from './platform/ledger.ts'
import { session, welcome } from './platform/session.ts'
import { fleet } from './views/fleet.ts'

/** The whole API for people and their programs, by wing and noun. A feature adds its contract here, on one line. */
export const api = {
  platform: { session, welcome, apiKey, ledger },
  estate: {
    person,
    orgUnit,
    site,
    absence,
    role,
    productLine,
    library,
    device,
    enrolmentToken,
    audience,
    configuration,
    service,
    savedView,
  },
  plan: { release, pinnedRelease },
  decide: { authority, board, case: decisionCase, draft, memberKey },
  deliver: { rollout, phase, job, receipt },
  views: { fleet },
}

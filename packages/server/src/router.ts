import { authorityRoutes } from './decide/authority/authority.routes.ts'
import { boardRoutes } from './decide/board/board.routes.ts'
import { caseRoutes } from './decide/case/case.routes.ts'
import { draftRoutes } from './decide/draft/draft.routes.ts'
import { memberKeyRoutes } from './decide/member-key/member-key.routes.ts'
import { absenceRoutes } from './estate/absence/absence.routes.ts'
import { audienceRoutes } from './estate/audience/audience.routes.ts'
import { configurationRoutes } from './estate/configuration/configuration.routes.ts'
import { enrolmentTokenRoutes } from './estate/enrolment-token/enrolment-token.routes.ts'
import { libraryRoutes } from './estate/library/library.routes.ts'
import { orgUnitRoutes } from './estate/org-unit/org-unit.routes.ts'
import { personRoutes } from './estate/person/person.routes.ts'
import { productLineRoutes } from './estate/product-line/product-line.routes.ts'
import { roleRoutes } from './estate/role/role.routes.ts'
import { savedViewRoutes } from './estate/saved-view/saved-view.routes.ts'
import { serviceRoutes } from './estate/service/service.routes.ts'
import { siteRoutes } from './estate/site/site.routes.ts'
import { os } from './platform/http/os.ts'
import { apiKeyRoutes } from './platform/identity/api-key.routes.ts'
import { sessionRoutes, welcomeRoutes } from './platform/identity/session.routes.ts'
import { ledgerRoutes } from './platform/ledger/ledger.routes.ts'
import { phaseRoutes } from './deliver/rollout/rollout.routes.ts'
import { deviceRoutes } from './views/device/device.routes.ts'
import { fleetRoutes } from './views/fleet/fleet.routes.ts'
import { pinnedReleaseRoutes } from './views/releases/pinned-release.routes.ts'
import { releaseRoutes } from './views/releases/releases.routes.ts'
import { jobRoutes, receiptRoutes, rolloutRoutes } from './views/releases/rollout.routes.ts'

/** Who answers each procedure of the contract. A procedure without an answer does not compile. */
export const router = os.router({
  platform: { session: sessionRoutes, welcome: welcomeRoutes, apiKey: apiKeyRoutes, ledger: ledgerRoutes },
  estate: {
    person: personRoutes,
    orgUnit: orgUnitRoutes,
    site: siteRoutes,
    absence: absenceRoutes,
    role: roleRoutes,
    productLine: productLineRoutes,
    library: libraryRoutes,
    device: deviceRoutes,
    enrolmentToken: enrolmentTokenRoutes,
    audience: audienceRoutes,
    configuration: configurationRoutes,
    service: serviceRoutes,
    savedView: savedViewRoutes,
  },
  plan: { release: releaseRoutes, pinnedRelease: pinnedReleaseRoutes },
  decide: {
    authority: authorityRoutes,
    board: boardRoutes,
    case: caseRoutes,
    draft: draftRoutes,
    memberKey: memberKeyRoutes,
  },
  deliver: { rollout: rolloutRoutes, phase: phaseRoutes, job: jobRoutes, receipt: receiptRoutes },
  views: { fleet: fleetRoutes },
})

import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router'
import { Shell } from './Shell.tsx'
import { CrashPage, NoSuchPage } from './FallbackPages.tsx'
import { CalendarPage, InsightsPage, SupportPage } from './ComingPages.tsx'
import { orpc } from '#/api/client.ts'
import { queryClient } from '#/api/query-client.ts'
import { sessionQuery } from '#/api/session.ts'
import { keptColumns, readFleetSearch } from '#/estate/device/fleet-address.ts'

const root = createRootRoute({ notFoundComponent: NoSuchPage, errorComponent: CrashPage })

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: (search: Record<string, unknown>): { next?: string; problem?: 'link-spent' } => ({
    ...(typeof search['next'] === 'string' && isOwnPath(search['next']) ? { next: search['next'] } : {}),
    ...(search['problem'] === 'link-spent' ? { problem: search['problem'] } : {}),
  }),
  component: lazyRouteComponent(() => import('#/platform/SignInPage.tsx'), 'SignInPage'),
})

const welcome = createRoute({
  getParentRoute: () => root,
  path: '/welcome',
  validateSearch: (search: Record<string, unknown>): { code?: string } =>
    typeof search['code'] === 'string' ? { code: search['code'] } : {},
  component: lazyRouteComponent(() => import('#/platform/WelcomePage.tsx'), 'WelcomePage'),
})

const components = createRoute({
  getParentRoute: () => root,
  path: '/dev/components',
  component: lazyRouteComponent(() => import('#/dev/ComponentsPage.tsx'), 'ComponentsPage'),
})

/** Everything behind the sign-in. */
const shell = createRoute({
  getParentRoute: () => root,
  id: 'shell',
  component: Shell,
  beforeLoad: async ({ location }) => {
    const session = await queryClient.ensureQueryData(sessionQuery)
    if (session === null) throw redirect({ to: '/sign-in', search: { next: location.href } })
  },
})

const today = createRoute({
  getParentRoute: () => shell,
  path: '/',
  component: lazyRouteComponent(() => import('#/views/today/TodayPage.tsx'), 'TodayPage'),
})

const releases = createRoute({
  getParentRoute: () => shell,
  path: '/releases',
  validateSearch: (search: Record<string, unknown>): { search?: string; state?: string } => ({
    ...(typeof search['search'] === 'string' && search['search'] !== '' ? { search: search['search'] } : {}),
    ...(typeof search['state'] === 'string' ? { state: search['state'] } : {}),
  }),
  component: lazyRouteComponent(() => import('#/plan/release/ReleasesPage.tsx'), 'ReleasesPage'),
})

const editRelease = createRoute({
  getParentRoute: () => shell,
  path: '/releases/$releaseId/edit',
  component: lazyRouteComponent(() => import('#/plan/release/EditReleasePage.tsx'), 'EditReleasePage'),
})

const newRelease = createRoute({
  getParentRoute: () => shell,
  path: '/releases/new',
  component: lazyRouteComponent(() => import('#/plan/release/NewReleasePage.tsx'), 'NewReleasePage'),
})

const cockpit = createRoute({
  getParentRoute: () => shell,
  path: '/releases/$releaseId',
  loader: ({ params }) => {
    void queryClient.prefetchQuery(orpc.plan.release.get.queryOptions({ input: { releaseId: params.releaseId } }))
  },
  component: lazyRouteComponent(() => import('#/views/cockpit/CockpitPage.tsx'), 'CockpitPage'),
})

const releaseDevices = createRoute({
  getParentRoute: () => shell,
  path: '/releases/$releaseId/devices',
  validateSearch: (search: Record<string, unknown>): { state?: string; bucket?: string; cause?: string } => ({
    ...textIn(search, 'state'),
    ...textIn(search, 'bucket'),
    ...textIn(search, 'cause'),
  }),
  component: lazyRouteComponent(() => import('#/views/cockpit/ReleaseDevicesPage.tsx'), 'ReleaseDevicesPage'),
})

const fleet = createRoute({
  getParentRoute: () => shell,
  path: '/fleet',
  validateSearch: readFleetSearch,
  // The columns that were shown last come into the address, so that it always says what the page shows.
  beforeLoad: ({ search }) => {
    const cols = search.cols === undefined && search.view === undefined ? keptColumns() : ''
    if (cols !== '') throw redirect({ to: '/fleet', search: { ...search, cols }, replace: true })
  },
  component: lazyRouteComponent(() => import('#/estate/device/FleetPage.tsx'), 'FleetPage'),
})

const device = createRoute({
  getParentRoute: () => shell,
  path: '/fleet/$deviceId',
  component: lazyRouteComponent(() => import('#/estate/device/DevicePage.tsx'), 'DevicePage'),
})

const configuration = createRoute({
  getParentRoute: () => shell,
  path: '/fleet/cmdb',
  validateSearch: (search: Record<string, unknown>): { view?: string; q?: string } => ({
    ...textIn(search, 'view'),
    ...textIn(search, 'q'),
  }),
  component: lazyRouteComponent(() => import('#/estate/configuration/ConfigurationPage.tsx'), 'ConfigurationPage'),
})

const configurationItem = createRoute({
  getParentRoute: () => shell,
  path: '/fleet/cmdb/$itemId',
  component: lazyRouteComponent(() => import('#/estate/configuration/ItemPage.tsx'), 'ItemPage'),
})

const library = createRoute({
  getParentRoute: () => shell,
  path: '/library',
  validateSearch: (search: Record<string, unknown>): { upload?: boolean } =>
    search['upload'] === true ? { upload: true } : {},
  component: lazyRouteComponent(() => import('#/estate/library/LibraryPage.tsx'), 'LibraryPage'),
})

const libraryPackage = createRoute({
  getParentRoute: () => shell,
  path: '/library/$packageName',
  validateSearch: (search: Record<string, unknown>): { version?: string } =>
    // A version like 12 arrives as a number.
    ['string', 'number'].includes(typeof search['version']) ? { version: String(search['version']) } : {},
  component: lazyRouteComponent(() => import('#/estate/library/PackagePage.tsx'), 'PackagePage'),
})

const settings = createRoute({
  getParentRoute: () => shell,
  path: '/settings',
  component: lazyRouteComponent(() => import('#/estate/settings/SettingsPage.tsx'), 'SettingsPage'),
})

const settingsSection = createRoute({
  getParentRoute: () => shell,
  path: '/settings/$section',
  validateSearch: (search: Record<string, unknown>): { release?: string } => textIn(search, 'release'),
  component: lazyRouteComponent(() => import('#/estate/settings/SettingsPage.tsx'), 'SettingsPage'),
})

const calendar = createRoute({ getParentRoute: () => shell, path: '/calendar', component: CalendarPage })
const boards = createRoute({
  getParentRoute: () => shell,
  path: '/boards',
  component: lazyRouteComponent(() => import('#/decide/board/BoardsPage.tsx'), 'BoardsPage'),
})

const board = createRoute({
  getParentRoute: () => shell,
  path: '/boards/$board',
  component: lazyRouteComponent(() => import('#/decide/board/BoardPage.tsx'), 'BoardPage'),
})

const decisionCase = createRoute({
  getParentRoute: () => shell,
  path: '/cases/$caseId',
  loader: ({ params }) => {
    void queryClient.prefetchQuery(orpc.decide.case.get.queryOptions({ input: { caseId: params.caseId } }))
  },
  component: lazyRouteComponent(() => import('#/decide/case/CasePage.tsx'), 'CasePage'),
})

const keys = createRoute({
  getParentRoute: () => shell,
  path: '/keys',
  component: lazyRouteComponent(() => import('#/decide/authority/KeysPage.tsx'), 'KeysPage'),
})

const support = createRoute({ getParentRoute: () => shell, path: '/support', component: SupportPage })
const insights = createRoute({ getParentRoute: () => shell, path: '/insights', component: InsightsPage })

export const router = createRouter({
  routeTree: root.addChildren([
    signIn,
    welcome,
    components,
    shell.addChildren([
      today,
      releases,
      newRelease,
      cockpit,
      editRelease,
      releaseDevices,
      configuration,
      configurationItem,
      fleet,
      device,
      library,
      libraryPackage,
      settings,
      settingsSection,
      calendar,
      boards,
      board,
      decisionCase,
      keys,
      support,
      insights,
    ]),
  ]),
  defaultPreload: 'intent',
  defaultPreloadStaleTime: 0,
  scrollRestoration: true,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}

/** One text of an address, if it is there. */
function textIn<Key extends string>(search: Record<string, unknown>, key: Key): Partial<Record<Key, string>> {
  const value = search[key]
  return typeof value === 'string' && value !== '' ? ({ [key]: value } as Partial<Record<Key, string>>) : {}
}

/** A path of this server: a sign-in must never send a person to a foreign page. */
function isOwnPath(path: string): boolean {
  return path.startsWith('/') && !path.startsWith('//') && !path.startsWith('/\\')
}

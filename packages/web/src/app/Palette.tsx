import { useComputedColorScheme, useMantineColorScheme } from '@mantine/core'
import { createSpotlight, Spotlight, type SpotlightActionData } from '@mantine/spotlight'
import {
  IconDeviceDesktop,
  IconKeyboard,
  IconMoon,
  IconPlayerPause,
  IconPlus,
  IconRocket,
  IconSearch,
  IconServerBolt,
  IconSun,
  IconUpload,
} from '@tabler/icons-react'
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { navigation } from './navigation.ts'
import { orpc } from '#/api/client.ts'
import { useCan } from '#/api/session.ts'

const [store, spotlight] = createSpotlight()

interface PaletteProps {
  isOpen: boolean
  onClose: () => void
  onShortcuts: () => void
}

/** Finds and acts. Verbs come first, then releases that match, then places. */
export function Palette({ isOpen, onClose, onShortcuts }: PaletteProps) {
  const [query, setQuery] = useState('')
  const verbs = useVerbs(onShortcuts)
  const releases = useReleaseActions(query)
  const devices = useDeviceActions(query)
  const pauses = usePauseActions(isOpen)
  const places = usePlaceActions()
  useEffect(() => (isOpen ? spotlight.open() : spotlight.close()), [isOpen])
  useEffect(() => {
    if (releases.length > 0) chooseFirst(query)
  }, [query, releases])
  return (
    <Spotlight
      store={store}
      onSpotlightClose={onClose}
      actions={[...pauses, ...verbs, ...releases, ...devices, ...places]}
      query={query}
      onQueryChange={setQuery}
      shortcut={null}
      attributes={{ content: { 'aria-label': 'Search or run' } }}
      highlightQuery
      limit={12}
      maxHeight={420}
      scrollable
      searchProps={{
        leftSection: <IconSearch size={18} />,
        placeholder: 'Release, device or action',
        'aria-label': 'Search or run',
      }}
      nothingFound="Nothing matches. Try the name of a release or an action."
    />
  )
}

/** What comes from the server arrives after the typing; without this, Enter would then do nothing. */
function chooseFirst(query: string): void {
  const { listId } = store.getState()
  const list = query === '' ? null : document.getElementById(listId)
  const first = list?.querySelector('[data-action]')
  if (!first || list?.querySelector('[data-selected]')) return
  first.setAttribute('data-selected', 'true')
  store.updateState((state) => ({ ...state, selected: 0 }))
}

function useVerbs(onShortcuts: () => void): SpotlightActionData[] {
  const navigate = useNavigate()
  const { setColorScheme } = useMantineColorScheme()
  const scheme = useComputedColorScheme()
  const next = scheme === 'dark' ? 'light' : 'dark'
  const canPlan = useCan('release.write')
  const canUpload = useCan('library.upload')
  const canEnrol = useCan('device.enrol')
  const verbs: (SpotlightActionData | false)[] = [
    canPlan && {
      id: 'new-release',
      label: 'New release',
      description: 'Choose packages, audience and phases',
      leftSection: <IconPlus size={18} />,
      onClick: () => void navigate({ to: '/releases/new' }),
    },
    canUpload && {
      id: 'upload',
      label: 'Upload a package',
      description: 'The single tar that bascule pack writes',
      leftSection: <IconUpload size={18} />,
      onClick: () => void navigate({ to: '/library', search: { upload: true } }),
    },
    canEnrol && {
      id: 'enrol',
      label: 'Enrol a device',
      description: 'Make a one-time token',
      leftSection: <IconServerBolt size={18} />,
      onClick: () => void navigate({ to: '/settings/$section', params: { section: 'enrolment' } }),
    },
    {
      id: 'scheme',
      label: `Switch to ${next}`,
      leftSection: next === 'dark' ? <IconMoon size={18} /> : <IconSun size={18} />,
      onClick: () => setColorScheme(next),
    },
    {
      id: 'shortcuts',
      label: 'Keyboard shortcuts',
      leftSection: <IconKeyboard size={18} />,
      onClick: onShortcuts,
    },
  ]
  return verbs.filter((verb) => verb !== false)
}

function useReleaseActions(query: string): SpotlightActionData[] {
  const navigate = useNavigate()
  const search = query.trim()
  const found = useQuery({
    ...orpc.plan.release.list.queryOptions({ input: { search, limit: 5 } }),
    enabled: search.length > 1,
    placeholderData: keepPreviousData,
  })
  if (search.length < 2) return []
  return (found.data?.items ?? []).map((release) => ({
    id: release.id,
    label: `${release.title} ${release.version}`,
    description: `Release of ${release.productLine}, ${release.owner}`,
    leftSection: <IconRocket size={18} />,
    onClick: () => void navigate({ to: '/releases/$releaseId', params: { releaseId: release.id } }),
  }))
}

/** Devices whose name contains what was typed; quoted, because it is a name and not a query. */
function useDeviceActions(query: string): SpotlightActionData[] {
  const navigate = useNavigate()
  const canRead = useCan('device.read')
  const search = query.trim().replaceAll(/["\\]/g, '')
  const found = useQuery({
    ...orpc.estate.device.list.queryOptions({ input: { query: `"${search}"`, limit: 5 } }),
    enabled: canRead && search.length > 1,
    placeholderData: keepPreviousData,
  })
  if (search.length < 2) return []
  return (found.data?.items ?? []).map((device) => ({
    id: device.id,
    label: device.name,
    description: ['Device', device.site, device.orgUnit].filter((word) => word !== null).join(', '),
    leftSection: <IconDeviceDesktop size={18} />,
    onClick: () => void navigate({ to: '/fleet/$deviceId', params: { deviceId: device.id } }),
  }))
}

/** Pausing is safe and urgent, so it is offered for whatever rolls out; the cockpit then asks for the reason. */
function usePauseActions(isOpen: boolean): SpotlightActionData[] {
  const navigate = useNavigate()
  const queries = useQueryClient()
  const canPause = useCan('rollout.pause')
  const moving = useQuery({
    ...orpc.plan.release.list.queryOptions({ input: { state: 'rolling-out', limit: 10 } }),
    enabled: canPause && isOpen,
  })
  async function pause(releaseId: string) {
    const { pauseRollout } = await import('#/views/cockpit/pause-rollout.ts')
    await pauseRollout(releaseId)
    await navigate({ to: '/releases/$releaseId', params: { releaseId } })
    await queries.invalidateQueries({ queryKey: orpc.deliver.rollout.key() })
  }
  return (moving.data?.items ?? [])
    .filter((release) => release.rollout?.state === 'running')
    .map((release) => ({
      id: `pause ${release.id}`,
      label: `Pause rollout of ${release.title} ${release.version}`,
      description: `${release.id}, devices finish what they started`,
      leftSection: <IconPlayerPause size={18} />,
      onClick: () => void pause(release.id),
    }))
}

function usePlaceActions(): SpotlightActionData[] {
  const navigate = useNavigate()
  return navigation.map((item) => ({
    id: item.to,
    label: `Go to ${item.label}`,
    leftSection: <item.icon size={18} />,
    onClick: () => void navigate({ to: item.to }),
  }))
}

import { useComputedColorScheme, useMantineColorScheme } from '@mantine/core'
import { createSpotlight, Spotlight, type SpotlightActionData } from '@mantine/spotlight'
import {
  IconKeyboard,
  IconMoon,
  IconPlus,
  IconRocket,
  IconSearch,
  IconServerBolt,
  IconSun,
  IconUpload,
} from '@tabler/icons-react'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
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
  const places = usePlaceActions()
  useEffect(() => (isOpen ? spotlight.open() : spotlight.close()), [isOpen])
  useEffect(() => {
    if (releases.length > 0) chooseFirst(query)
  }, [query, releases])
  return (
    <Spotlight
      store={store}
      onSpotlightClose={onClose}
      actions={[...verbs, ...releases, ...places]}
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

function usePlaceActions(): SpotlightActionData[] {
  const navigate = useNavigate()
  return navigation.map((item) => ({
    id: item.to,
    label: `Go to ${item.label}`,
    leftSection: <item.icon size={18} />,
    onClick: () => void navigate({ to: item.to }),
  }))
}

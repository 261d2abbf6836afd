import {
  ActionIcon,
  AppShell,
  Burger,
  Kbd,
  UnstyledButton,
  useComputedColorScheme,
  useMantineColorScheme,
} from '@mantine/core'
import { useDisclosure, useHotkeys } from '@mantine/hooks'
import { IconMoon, IconSearch, IconSun } from '@tabler/icons-react'
import { Link, Outlet, useNavigate } from '@tanstack/react-router'
import { lazy, Suspense, useEffect } from 'react'
import { boardMarkId, BoardMark } from './BoardMark.tsx'
import { PinnedReleases } from './PinnedReleases.tsx'
import { todayMarkId, TodayMark } from './TodayMark.tsx'
import { ProfileButton } from './ProfileButton.tsx'
import styles from './Shell.module.css'
import { navigation } from './navigation.ts'
import { useShortcuts, type Shortcut } from './use-shortcuts.ts'
import { liveConnection, useLive } from '#/api/live.ts'
import { invalidateChanged } from '#/api/query-client.ts'
import { useSession } from '#/api/session.ts'
import { BridgeMark } from '#/ui/BridgeMark.tsx'
import { LiveMark } from '#/ui/LiveMark.tsx'

// What nobody needs for the first picture comes after it.
const Palette = lazy(async () => ({ default: (await import('./Palette.tsx')).Palette }))
const ShortcutsDialog = lazy(async () => ({ default: (await import('./ShortcutsDialog.tsx')).ShortcutsDialog }))
const ProfileMenu = lazy(async () => ({ default: (await import('./ProfileMenu.tsx')).ProfileMenu }))

/** What stays while pages change: navigation, palette, shortcuts and the one live connection. */
export function Shell() {
  const [isMenuOpen, menu] = useDisclosure()
  const [isPaletteOpen, palette] = useDisclosure()
  const [areShortcutsShown, shortcutsDialog] = useDisclosure()
  const shortcuts = useShellShortcuts(palette.open, shortcutsDialog.open)
  useShortcuts(shortcuts)
  // Works while typing too, so that the palette is always one chord away.
  useHotkeys([['mod+K', palette.toggle]], [])
  useEffect(() => liveConnection.start(invalidateChanged), [])
  return (
    <AppShell
      layout="alt"
      padding={0}
      navbar={{ width: 204, breakpoint: 'sm', collapsed: { mobile: !isMenuOpen } }}
      header={{ height: 48 }}
      classNames={{ navbar: styles.navbar ?? '', header: styles.header ?? '' }}
    >
      <a className="skip" href="#main">
        Skip to content
      </a>
      <AppShell.Header hiddenFrom="sm">
        <PhoneLine label="Menu" isOpen={isMenuOpen} onToggle={menu.toggle} onSearch={palette.open} />
      </AppShell.Header>
      <AppShell.Navbar aria-label="Main">
        {isMenuOpen ? <PhoneLine label="Close menu" isOpen onToggle={menu.close} onSearch={palette.open} /> : null}
        <NavigationContent onNavigate={menu.close} onSearch={palette.open} />
        <PinnedReleases onNavigate={menu.close} />
        <Foot onShortcuts={shortcutsDialog.open} />
      </AppShell.Navbar>
      <AppShell.Main id="main" className={styles.main} tabIndex={-1}>
        <Outlet />
      </AppShell.Main>
      <Suspense>
        <Palette isOpen={isPaletteOpen} onClose={palette.close} onShortcuts={shortcutsDialog.open} />
        <ShortcutsDialog isOpen={areShortcutsShown} onClose={shortcutsDialog.close} shortcuts={shortcuts} />
      </Suspense>
    </AppShell>
  )
}

function useShellShortcuts(search: () => void, showShortcuts: () => void): Shortcut[] {
  const navigate = useNavigate()
  return [
    { keys: '/', words: 'Search or run', run: search },
    { keys: '?', words: 'This list', run: showShortcuts },
    ...navigation.map((item) => ({
      keys: `g ${item.key}`,
      words: `Go to ${item.label}`,
      run: () => void navigate({ to: item.to }),
    })),
  ]
}

interface PhoneLineProps {
  label: string
  isOpen: boolean
  onToggle: () => void
  onSearch: () => void
}

function PhoneLine({ label, isOpen, onToggle, onSearch }: PhoneLineProps) {
  return (
    <div className={styles.phoneLine}>
      <Burger size="sm" opened={isOpen} onClick={onToggle} aria-label={label} aria-expanded={isOpen} />
      <BridgeMark />
      Bascule
      <ActionIcon ml="auto" size={32} variant="subtle" color="gray" aria-label="Search" onClick={onSearch}>
        <IconSearch size={18} />
      </ActionIcon>
    </div>
  )
}

function NavigationContent({ onNavigate, onSearch }: { onNavigate: () => void; onSearch: () => void }) {
  const environment = useSession()?.server.environment
  return (
    <>
      <div className={styles.brand}>
        <BridgeMark />
        <span>Bascule</span>
        {environment === undefined ? null : <span className={styles.environment}>{environment}</span>}
      </div>
      <UnstyledButton className={styles.search} onClick={onSearch}>
        <IconSearch size={14} aria-hidden />
        <span>Search or run…</span>
        <Kbd size="xs">Ctrl K</Kbd>
      </UnstyledButton>
      <ul className={styles.list}>
        {navigation.map((item) => (
          <li key={item.to}>
            <Link
              to={item.to}
              onClick={onNavigate}
              className={styles.link}
              activeOptions={{ exact: item.to === '/' }}
              activeProps={{ 'aria-current': 'page' }}
              {...describedBy(item.to)}
            >
              <item.icon size={17} stroke={1.7} aria-hidden />
              <span>{item.label}</span>
              {item.to === '/' ? <TodayMark /> : null}
              {item.to === '/boards' ? <BoardMark /> : null}
            </Link>
          </li>
        ))}
      </ul>
    </>
  )
}

function describedBy(to: string): { 'aria-describedby'?: string } {
  if (to === '/') return { 'aria-describedby': todayMarkId }
  return to === '/boards' ? { 'aria-describedby': boardMarkId } : {}
}

function Foot({ onShortcuts }: { onShortcuts: () => void }) {
  const live = useLive()
  return (
    <div className={styles.bottom}>
      <div className={styles.live}>
        <LiveMark state={live} />
      </div>
      <div className={styles.foot}>
        <Suspense fallback={<ProfileButton />}>
          <ProfileMenu onShortcuts={onShortcuts} />
        </Suspense>
        <SchemeToggle />
      </div>
    </div>
  )
}

function SchemeToggle() {
  const { setColorScheme } = useMantineColorScheme()
  const scheme = useComputedColorScheme()
  const next = scheme === 'dark' ? 'light' : 'dark'
  const words = `Switch to ${next}`
  return (
    <ActionIcon variant="subtle" color="gray" aria-label={words} title={words} onClick={() => setColorScheme(next)}>
      {scheme === 'dark' ? <IconSun size={16} /> : <IconMoon size={16} />}
    </ActionIcon>
  )
}

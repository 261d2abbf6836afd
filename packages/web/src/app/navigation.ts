import {
  IconCalendarEvent,
  IconChartHistogram,
  IconDeviceDesktopAnalytics,
  IconGavel,
  IconLifebuoy,
  IconPackages,
  IconRocket,
  IconSettings,
  IconSunHigh,
  type Icon,
} from '@tabler/icons-react'

export interface NavigationItem {
  label: string
  to: '/' | '/releases' | '/calendar' | '/boards' | '/fleet' | '/library' | '/support' | '/insights' | '/settings'
  icon: Icon
  /** After `g`. */
  key: string
}

export const navigation: readonly NavigationItem[] = [
  { label: 'Today', to: '/', icon: IconSunHigh, key: 't' },
  { label: 'Releases', to: '/releases', icon: IconRocket, key: 'r' },
  { label: 'Calendar', to: '/calendar', icon: IconCalendarEvent, key: 'c' },
  { label: 'Board', to: '/boards', icon: IconGavel, key: 'b' },
  { label: 'Fleet', to: '/fleet', icon: IconDeviceDesktopAnalytics, key: 'f' },
  { label: 'Library', to: '/library', icon: IconPackages, key: 'l' },
  { label: 'Support', to: '/support', icon: IconLifebuoy, key: 's' },
  { label: 'Insights', to: '/insights', icon: IconChartHistogram, key: 'i' },
  { label: 'Settings', to: '/settings', icon: IconSettings, key: ',' },
]

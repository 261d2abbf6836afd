import { Menu } from '@mantine/core'
import { IconBaselineDensityMedium, IconBaselineDensitySmall, IconKeyboard, IconLogout } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { ProfileButton } from './ProfileButton.tsx'
import { signOut } from '#/api/session.ts'
import { useDensity } from '#/ui/use-density.ts'

export function ProfileMenu({ onShortcuts }: { onShortcuts: () => void }) {
  const queries = useQueryClient()
  const navigate = useNavigate()
  async function leave() {
    await signOut()
    await navigate({ to: '/sign-in' })
    queries.clear()
  }
  return (
    <Menu position="top-start">
      <Menu.Target>
        <ProfileButton />
      </Menu.Target>
      <Menu.Dropdown>
        <DensityItem />
        <Menu.Item leftSection={<IconKeyboard size={15} />} onClick={onShortcuts}>
          Keyboard shortcuts
        </Menu.Item>
        <Menu.Item leftSection={<IconLogout size={15} />} onClick={() => void leave()}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}

function DensityItem() {
  const { density, setDensity } = useDensity()
  const isCompact = density === 'compact'
  return (
    <Menu.Item
      leftSection={isCompact ? <IconBaselineDensityMedium size={15} /> : <IconBaselineDensitySmall size={15} />}
      onClick={() => setDensity(isCompact ? 'comfortable' : 'compact')}
    >
      {isCompact ? 'Comfortable rows' : 'Compact rows'}
    </Menu.Item>
  )
}

import { ActionIcon } from '@mantine/core'
import { IconPin, IconPinFilled } from '@tabler/icons-react'
import { useTogglePin } from './use-toggle-pin.ts'

interface PinButtonProps {
  releaseId: string
  /** As people call it: "Sales Workbench 4.2.0". */
  name: string
  /** Framed like the buttons of a page’s head; bare within a row. */
  variant?: 'default' | 'subtle'
}

/** Keeps a release at hand under the navigation. */
export function PinButton({ releaseId, name, variant = 'subtle' }: PinButtonProps) {
  const { isPinned, toggle } = useTogglePin(releaseId)
  const words = isPinned ? `Unpin ${name}` : `Pin ${name}`
  return (
    <ActionIcon
      size={variant === 'default' ? 30 : 24}
      variant={variant}
      color="gray"
      aria-label={words}
      title={words}
      onClick={toggle}
    >
      {isPinned ? <IconPinFilled size={15} /> : <IconPin size={15} stroke={1.7} />}
    </ActionIcon>
  )
}

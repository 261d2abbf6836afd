import { Button } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconBookmark } from '@tabler/icons-react'
import type { FleetShown } from './fleet-address.ts'
import { LazyRecordDialog } from './LazyRecordDialog.tsx'
import type { SavedView } from './saved-view.ts'
import { useSavedViewActs } from './use-saved-views.ts'

interface SaveViewButtonProps {
  shown: FleetShown
  onSaved: (view: SavedView) => void
}

/** Keeps filter, order and columns under a name. */
export function SaveViewButton({ shown, onSaved }: SaveViewButtonProps) {
  const [isOpen, dialog] = useDisclosure()
  const { create } = useSavedViewActs()
  function save(name: string) {
    create.mutate(
      { name, shown },
      {
        onSuccess: (view) => {
          dialog.close()
          onSaved(view)
        },
      },
    )
  }
  return (
    <>
      <Button variant="default" leftSection={<IconBookmark size={15} />} onClick={dialog.open}>
        Save view
      </Button>
      <LazyRecordDialog
        isOpen={isOpen}
        onClose={() => {
          create.reset()
          dialog.close()
        }}
        title="Save view"
        verb="Save view"
        fields={[
          {
            name: 'name',
            label: 'Name',
            description: 'Filter, order and columns as they are now. Only you see it.',
            isRequired: true,
          },
        ]}
        error={create.error}
        isBusy={create.isPending}
        onSubmit={(values) => save(values['name'] ?? '')}
      />
    </>
  )
}

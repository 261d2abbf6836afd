import { Button } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { notifications } from '@mantine/notifications'
import { IconUsersGroup } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { client, orpc } from '#/api/client.ts'
import { useCan } from '#/api/session.ts'
import { RecordDialog } from '#/ui/form/RecordDialog.tsx'

/** Keeps the query under a name, so that releases and colleagues can use it. */
export function SaveAudienceButton({ query }: { query: string }) {
  const [isOpen, dialog] = useDisclosure()
  const queries = useQueryClient()
  const save = useMutation({
    mutationFn: (name: string) => client.estate.audience.create({ name, query }),
    onSuccess: async ({ name }) => {
      dialog.close()
      notifications.show({ message: `Saved as ${name}.` })
      await queries.invalidateQueries({ queryKey: orpc.estate.audience.key() })
    },
  })
  if (!useCan('audience.write')) return null
  return (
    <>
      <Button variant="subtle" color="gray" leftSection={<IconUsersGroup size={15} />} onClick={dialog.open}>
        Save query
      </Button>
      <RecordDialog
        isOpen={isOpen}
        onClose={dialog.close}
        title="Save query"
        verb="Save"
        fields={[{ name: 'name', label: 'Name', description: query, isRequired: true }]}
        error={save.error}
        isBusy={save.isPending}
        onSubmit={(values) => save.mutate(values['name'] ?? '')}
      />
    </>
  )
}

import { Button, FileButton } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconFileImport } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { useRef } from 'react'
import { formatCount } from '#/ui/format.ts'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'

interface ImportCounts {
  created: number
  updated: number
  unchanged: number
}

interface CsvImportButtonProps {
  /** "people": what the rows are. */
  what: string
  onImport: (text: string) => Promise<ImportCounts>
  onDone: () => void
}

/** Takes a whole file or nothing of it; the first wrong line is named by the server. */
export function CsvImportButton({ what, onImport, onDone }: CsvImportButtonProps) {
  const reset = useRef<() => void>(null)
  const importing = useMutation({
    mutationFn: async (file: File) => await onImport(await file.text()),
    onSuccess: ({ created, updated, unchanged }) => {
      notifications.show({
        title: `Imported ${what}`,
        message: `${formatCount(created)} added, ${formatCount(updated)} changed, ${formatCount(unchanged)} as they were.`,
      })
      onDone()
    },
    onSettled: () => reset.current?.(),
  })
  return (
    <>
      <FileButton
        resetRef={reset}
        accept="text/csv,.csv"
        inputProps={{ 'aria-label': `CSV file of ${what}` }}
        onChange={(file) => {
          if (file !== null) importing.mutate(file)
        }}
      >
        {(button) => (
          <Button
            variant="default"
            leftSection={<IconFileImport size={15} />}
            loading={importing.isPending}
            onClick={button.onClick}
          >
            Import CSV…
          </Button>
        )}
      </FileButton>
      {importing.error === null ? null : (
        <ProblemAlert title={`Nothing of the file was imported`} error={importing.error} />
      )}
    </>
  )
}

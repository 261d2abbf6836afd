import { Button, FileInput, Group, Modal, Progress } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useRef, useState } from 'react'
import { uploadPackage } from './upload-package.ts'
import { orpc } from '#/api/client.ts'
import { formatBytes } from '#/ui/format.ts'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'

interface UploadDialogProps {
  isOpen: boolean
  onClose: () => void
}

/** Takes one package; nothing of it is in the library before all of it was checked. */
export function UploadDialog({ isOpen, onClose }: UploadDialogProps) {
  const [file, setFile] = useState<File | null>(null)
  const [sentBytes, setSentBytes] = useState(0)
  const stop = useRef<() => void>(null)
  const queries = useQueryClient()
  const navigate = useNavigate()
  const upload = useMutation({
    mutationFn: (chosen: File) => {
      setSentBytes(0)
      const { done, cancel } = uploadPackage(chosen, setSentBytes)
      stop.current = cancel
      return done
    },
    onSuccess: async ({ name, version }) => {
      setFile(null)
      await queries.invalidateQueries({ queryKey: orpc.estate.library.key() })
      await navigate({ to: '/library/$packageName', params: { packageName: name }, search: { version } })
    },
  })
  function close() {
    stop.current?.()
    upload.reset()
    onClose()
  }
  const isStopped = upload.error?.name === 'AbortError'
  return (
    <Modal opened={isOpen} onClose={close} title={<b>Upload package</b>} closeOnClickOutside={!upload.isPending}>
      {upload.error === null || isStopped ? null : (
        <ProblemAlert title="The package was not stored" error={upload.error} />
      )}
      <FileInput
        size="sm"
        my="sm"
        label="Package"
        description="The tar that “bascule pack --out” writes"
        placeholder="Choose a file"
        accept=".tar,application/x-tar"
        value={file}
        onChange={setFile}
        disabled={upload.isPending}
        clearable
        clearButtonProps={{ 'aria-label': 'Choose no file' }}
      />
      {upload.isPending && file !== null ? <UploadProgress sentBytes={sentBytes} totalBytes={file.size} /> : null}
      <Group justify="flex-end" mt="md">
        <Button variant="default" onClick={close}>
          {upload.isPending ? 'Stop' : 'Cancel'}
        </Button>
        <Button
          disabled={file === null}
          loading={upload.isPending}
          onClick={() => {
            if (file !== null) upload.mutate(file)
          }}
        >
          Upload
        </Button>
      </Group>
    </Modal>
  )
}

function UploadProgress({ sentBytes, totalBytes }: { sentBytes: number; totalBytes: number }) {
  const isSent = sentBytes >= totalBytes
  const percent = totalBytes === 0 ? 0 : (sentBytes / totalBytes) * 100
  return (
    <div>
      <Progress value={percent} aria-label="Upload" size="sm" mb={4} />
      <output className="num dim">
        {isSent ? 'Sent; the server checks every digest' : `${formatBytes(sentBytes)} of ${formatBytes(totalBytes)}`}
      </output>
    </div>
  )
}

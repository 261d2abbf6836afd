import { Button, Group, Modal, Radio, Stack, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useKeyActs } from './use-key-acts.ts'
import { whyNotHere } from './why-not-here.ts'
import { CommandLine } from '#/ui/CommandLine.tsx'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'
import { keyLevelWords } from '#/ui/levels.ts'

const levels = [3, 2, 1] as const

/** Chooses how a key is kept, with what each way is worth, and makes it there. */
export function MakeKeyDialog({ onClose }: { onClose: () => void }) {
  const why = whyNotHere()
  const [level, setLevel] = useState(why === undefined ? '2' : '3')
  const [label, setLabel] = useState('')
  const acts = useKeyActs()
  const making = level === '2' ? acts.makeWithPasskey : acts.makeHere
  return (
    <Modal opened onClose={onClose} title={<b>Make a key</b>}>
      <Radio.Group label="Where it is kept" value={level} onChange={setLevel}>
        <Stack gap={8} mt={6} mb="md">
          {levels.map((each) => (
            <Radio
              key={each}
              size="xs"
              value={String(each)}
              disabled={each !== 3 && why !== undefined}
              label={`${keyLevelWords(each).short} ${keyLevelWords(each).name}`}
              description={keyLevelWords(each).honestly}
            />
          ))}
        </Stack>
      </Radio.Group>
      {why === undefined ? null : <p>{why}</p>}
      {level === '3' ? (
        <Stack gap={8}>
          <p>Run both on your own machine; the second tells this server the public part.</p>
          <CommandLine command="bascule key make" />
          <CommandLine command={`bascule key register --server ${location.origin}`} />
        </Stack>
      ) : (
        <TextInput
          size="sm"
          label="Name of the key"
          description="To tell it from your others: work laptop"
          maxLength={100}
          data-autofocus
          value={label}
          onChange={(event) => setLabel(event.currentTarget.value)}
        />
      )}
      {making.error === null ? null : <ProblemAlert title="The key was not made" error={making.error} />}
      <Group justify="flex-end" mt="md">
        <Button variant="default" onClick={onClose}>
          {level === '3' ? 'Close' : 'Cancel'}
        </Button>
        {level === '3' ? null : (
          <Button
            disabled={label.trim() === ''}
            loading={making.isPending}
            onClick={() => making.mutate(label.trim(), { onSuccess: onClose })}
          >
            Make key
          </Button>
        )}
      </Group>
    </Modal>
  )
}

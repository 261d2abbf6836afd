import { Button, Group, Modal, Radio, Stack, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useKeyActs } from './use-key-acts.ts'
import { whyNotHere } from './why-not-here.ts'
import { noSignPage, useSignPage } from '../sign/use-sign-page.ts'
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
  const page = useSignPage()?.url
  function make() {
    const done = { onSuccess: onClose }
    if (level === '1') acts.makeHere.mutate(label.trim(), done)
    else if (typeof page === 'string') acts.makeWithPasskey.mutate({ label: label.trim(), page }, done)
  }
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
      {level === '2' && page === null ? <p>{noSignPage}</p> : null}
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
            disabled={label.trim() === '' || (level === '2' && typeof page !== 'string')}
            loading={making.isPending}
            onClick={make}
          >
            Make key
          </Button>
        )}
      </Group>
    </Modal>
  )
}

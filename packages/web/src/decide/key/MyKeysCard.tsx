import { Button } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconPlus } from '@tabler/icons-react'
import { useState } from 'react'
import styles from './MyKeysCard.module.css'
import { MakeKeyDialog } from './MakeKeyDialog.tsx'
import { useKeyActs } from './use-key-acts.ts'
import { useMyKeys, type MemberKey } from './use-my-keys.ts'
import { ReasonDialog } from '#/ui/ConfirmDialog.tsx'
import { DigestText } from '#/ui/DigestText.tsx'
import { EmptyState } from '#/ui/EmptyState.tsx'
import { KeyLevelMark } from '#/ui/KeyLevelMark.tsx'
import { Loading } from '#/ui/Loading.tsx'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'
import { SectionCard } from '#/ui/SectionCard.tsx'
import { keyLevelWords } from '#/ui/levels.ts'

/** The keys this person signs with, where they are, and how to make one. */
export function MyKeysCard() {
  const [isMaking, making] = useDisclosure()
  const [retired, setRetired] = useState<MemberKey | null>(null)
  const mine = useMyKeys()
  const acts = useKeyActs()
  const here = new Set(mine.here.map(({ id }) => id))
  return (
    <SectionCard
      title="Your keys"
      actions={
        <Button variant="default" leftSection={<IconPlus size={15} />} onClick={making.open}>
          Make a key
        </Button>
      }
    >
      {mine.error === null ? null : <ProblemAlert title="Your keys could not be loaded" error={mine.error} />}
      {mine.isPending ? <Loading what="your keys" lines={2} /> : null}
      {!mine.isPending && mine.keys.length === 0 ? (
        <EmptyState>You have no key yet. With one that the board has taken, you sign its decisions.</EmptyState>
      ) : null}
      <ul className={styles.keys}>
        {mine.keys.map((key) => (
          <li key={key.keyId}>
            <div>
              <b>{key.label}</b>
              <KeyLevelMark level={key.level} />
              <span className="dim">
                {keyLevelWords(key.level).name}
                {key.level === 1 ? (here.has(key.keyId) ? ', in this browser' : ', in another browser') : ''}
              </span>
            </div>
            <div className="dim">
              {key.roles.length === 0 ? 'No board counts it yet' : `Counts in ${key.roles.join(', ')}`}
              {' · '}
              <DigestText digest={key.publicKey} />
            </div>
            <Button variant="subtle" color="gray" onClick={() => setRetired(key)}>
              Retire…
            </Button>
          </li>
        ))}
      </ul>
      {isMaking ? <MakeKeyDialog onClose={making.close} /> : null}
      <ReasonDialog
        isOpen={retired !== null}
        onClose={() => setRetired(null)}
        title={`Retire ${retired?.label ?? ''}`}
        verb="Retire key"
        effect="You say that it is lost or no longer used. Devices go on counting it until the board takes it out of its roles."
        error={acts.retire.error}
        isBusy={acts.retire.isPending}
        onConfirm={(reason) => {
          if (retired !== null)
            acts.retire.mutate({ keyId: retired.keyId, reason }, { onSuccess: () => setRetired(null) })
        }}
      />
    </SectionCard>
  )
}

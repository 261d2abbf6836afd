import { Radio, Stack } from '@mantine/core'
import type { MemberKey } from '../key/use-my-keys.ts'
import { keyLevelWords } from '#/ui/levels.ts'

interface KeyChoiceProps {
  keys: readonly MemberKey[]
  /** Ids of keys whose private half is in this browser. */
  here: ReadonlySet<string>
  value: string
  onChange: (keyId: string) => void
}

/** Which key signs, with what each is worth. */
export function KeyChoice({ keys, here, value, onChange }: KeyChoiceProps) {
  return (
    <Radio.Group label="Sign with" value={value} onChange={onChange} mt="md">
      <Stack gap={8} mt={6}>
        {keys.map((key) => (
          <Radio
            key={key.keyId}
            size="xs"
            value={key.keyId}
            label={`${key.label}, ${keyLevelWords(key.level).short} ${keyLevelWords(key.level).name}`}
            description={descriptionOf(key, here)}
          />
        ))}
      </Stack>
    </Radio.Group>
  )
}

function descriptionOf({ keyId, level }: MemberKey, here: ReadonlySet<string>): string {
  const { honestly } = keyLevelWords(level)
  return level === 1 && !here.has(keyId) ? `${honestly} It is in another browser.` : honestly
}

import { Kbd, Checkbox, Modal } from '@mantine/core'
import styles from './ShortcutsDialog.module.css'
import { useSingleKeys, type Shortcut } from './use-shortcuts.ts'

interface ShortcutsDialogProps {
  isOpen: boolean
  onClose: () => void
  shortcuts: readonly Shortcut[]
}

export function ShortcutsDialog({ isOpen, onClose, shortcuts }: ShortcutsDialogProps) {
  const [areOn, setAreOn] = useSingleKeys()
  return (
    <Modal opened={isOpen} onClose={onClose} title={<b>Keyboard shortcuts</b>}>
      <dl className={styles.list}>
        <Line keys="Ctrl K" words="Search or run" />
        {shortcuts.map((shortcut) => (
          <Line key={shortcut.keys} keys={shortcut.keys} words={shortcut.words} />
        ))}
        <Line keys="j" words="Next row of a list" />
        <Line keys="k" words="Previous row of a list" />
        <Line keys="x" words="Select the row" />
        <Line keys="Enter" words="Open the row" />
      </dl>
      <Checkbox
        mt="md"
        checked={areOn}
        onChange={(event) => setAreOn(event.currentTarget.checked)}
        label="Single keys act"
        description="Switch off when you dictate or press keys by accident. Ctrl K keeps working."
      />
    </Modal>
  )
}

function Line({ keys, words }: { keys: string; words: string }) {
  return (
    <div>
      <dt>
        {keys.split(' ').map((key) => (
          <Kbd key={key} size="xs">
            {key}
          </Kbd>
        ))}
      </dt>
      <dd>{words}</dd>
    </div>
  )
}

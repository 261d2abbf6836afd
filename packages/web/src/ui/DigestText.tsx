import { Tooltip } from '@mantine/core'
import { useClipboard } from '@mantine/hooks'
import styles from './DigestText.module.css'

/** A digest in its short form; the whole of it on hover and, with a click, in the clipboard. */
export function DigestText({ digest }: { digest: string }) {
  const clipboard = useClipboard({ timeout: 2000 })
  const hex = digest.replace(/^sha256:/, '')
  return (
    <Tooltip label={clipboard.copied ? 'Copied' : digest} multiline w={360}>
      <button
        type="button"
        className={`${styles.digest} mono`}
        onClick={() => clipboard.copy(digest)}
        aria-label={`${hex.slice(0, 12)}, copy the whole digest`}
      >
        {hex.slice(0, 12)}
      </button>
    </Tooltip>
  )
}

import { Button, CopyButton } from '@mantine/core'
import styles from './CommandLine.module.css'

interface CommandLineProps {
  command: string
  /** What is copied: "command", "fingerprint". */
  what?: string
}

/** A text to be taken elsewhere exactly as it stands. */
export function CommandLine({ command, what = 'command' }: CommandLineProps) {
  return (
    <div className={styles.line}>
      <code className="mono">{command}</code>
      <CopyButton value={command}>
        {({ copied, copy }) => (
          <Button variant="default" onClick={copy} aria-label={`Copy ${what}`}>
            {copied ? 'Copied' : 'Copy'}
          </Button>
        )}
      </CopyButton>
    </div>
  )
}

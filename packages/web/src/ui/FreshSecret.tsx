import { Button, CopyButton } from '@mantine/core'
import styles from './FreshSecret.module.css'

interface FreshSecretProps {
  /** "key", "command". */
  what: string
  secret: string
}

/** What is shown once and never again. */
export function FreshSecret({ what, secret }: FreshSecretProps) {
  return (
    <output className={styles.secret}>
      <span>Copy this {what} now; it is not shown again.</span>
      <code className="mono">{secret}</code>
      <CopyButton value={secret}>
        {({ copied, copy }) => (
          <Button variant="default" onClick={copy}>
            {copied ? 'Copied' : `Copy ${what}`}
          </Button>
        )}
      </CopyButton>
    </output>
  )
}

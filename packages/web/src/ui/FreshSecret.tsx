import { Button, CopyButton } from '@mantine/core'
import styles from './FreshSecret.module.css'

interface FreshSecretProps {
  /** "key", "token". */
  what: string
  secret: string
}

/** What is shown once and never again. */
export function FreshSecret({ what, secret }: FreshSecretProps) {
  return (
    <output className={styles.secret}>
      <span>Copy this {what} now; it is not shown again.</span>
      <Copied what={what} text={secret} />
    </output>
  )
}

interface FreshCommandsProps {
  what: string
  /** The same secret inside the command for each place where it may be used. */
  commands: readonly { readonly where: string; readonly command: string }[]
}

/** A secret shown once, in commands that work as they are pasted. */
export function FreshCommands({ what, commands }: FreshCommandsProps) {
  return (
    <output className={styles.secret}>
      <span>Copy the {what} now; it is not shown again.</span>
      {commands.map(({ where, command }) => (
        <div key={where} className={styles.command}>
          <span>{where}</span>
          <Copied what="command" text={command} />
        </div>
      ))}
    </output>
  )
}

function Copied({ what, text }: { what: string; text: string }) {
  return (
    <div className={styles.copied}>
      <code className="mono">{text}</code>
      <CopyButton value={text}>
        {({ copied, copy }) => (
          <Button variant="default" onClick={copy}>
            {copied ? 'Copied' : `Copy ${what}`}
          </Button>
        )}
      </CopyButton>
    </div>
  )
}

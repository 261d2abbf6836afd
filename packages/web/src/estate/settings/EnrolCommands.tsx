import { enrolCommands } from './enrol-commands.ts'
import { FreshCommands } from '#/ui/FreshSecret.tsx'

interface EnrolCommandsProps {
  token: string
  /** Fingerprint of the root; null before the first ceremony. */
  rootSha256: string | null
}

/** How a device uses a token that was just made, with the anchor that nobody can exchange on the way. */
export function EnrolCommands({ token, rootSha256 }: EnrolCommandsProps) {
  return (
    <>
      <FreshCommands what="token" commands={enrolCommands(token, location.origin, rootSha256)} />
      {rootSha256 === null ? (
        <p>No root yet, so the device will trust the first one that this server shows it.</p>
      ) : null}
    </>
  )
}

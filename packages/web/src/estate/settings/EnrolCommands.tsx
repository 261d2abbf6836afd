import { enrolCommands } from './enrol-commands.ts'
import { FreshCommands } from '#/ui/FreshSecret.tsx'

/** How a device uses a token that was just made. */
export function EnrolCommands({ token }: { token: string }) {
  return <FreshCommands what="token" commands={enrolCommands(token, location.origin)} />
}

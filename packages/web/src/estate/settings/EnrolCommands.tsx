import { FreshCommands } from '#/ui/FreshSecret.tsx'

/** The token goes through the environment, so that it does not stand in the list of processes. */
function commandsFor(token: string, server: string) {
  const agent = (node: string, file: string, rest: string) => `${node} ${file} ${rest} --server ${server}`
  return [
    {
      where: 'In a checkout of Bascule on this machine, as a trial device of its own:',
      command: `BASCULE_TOKEN=${token} ${agent('node_modules/.bin/node', 'packages/agent/dist/bascule-agent.mjs', 'run')} --data ~/bascule-agent --root ~/software --every 10`,
    },
    {
      where: 'On a device that has the agent installed; start its service afterwards:',
      command: `sudo env BASCULE_TOKEN=${token} ${agent('node', '/usr/lib/bascule/bascule-agent.mjs', 'enrol')}`,
    },
  ]
}

/** How a device uses a token that was just made. */
export function EnrolCommands({ token }: { token: string }) {
  return <FreshCommands what="token" commands={commandsFor(token, location.origin)} />
}

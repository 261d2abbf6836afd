/**
 * How a device uses a token, for each place where it may. The token goes through the environment of every program on the
 * way, `sudo` too: what is an argument stands in the list of processes for all accounts.
 */
export function enrolCommands(token: string, server: string, rootSha256: string | null) {
  const anchor = rootSha256 === null ? '' : ` --root-sha256 ${rootSha256}`
  const agent = (node: string, file: string, rest: string) => `${node} ${file} ${rest} --server ${server}${anchor}`
  return [
    {
      where: 'In a checkout of Bascule on this machine, as a trial device of its own:',
      command: `BASCULE_TOKEN=${token} ${agent('node_modules/.bin/node', 'packages/agent/dist/bascule-agent.mjs', 'run')} --data ~/bascule-agent --root ~/software --every 10`,
    },
    {
      where: 'On a device that has the agent installed; start its service afterwards:',
      command: `BASCULE_TOKEN=${token} sudo --preserve-env=BASCULE_TOKEN ${agent('node', '/usr/lib/bascule/bascule-agent.mjs', 'enrol')}`,
    },
  ]
}

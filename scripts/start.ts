import { createPrograms } from './lib/programs.ts'
import { startInstallation } from './start/installation.ts'
import type { Installation } from './start/installation.ts'
import { readOptions } from './start/options.ts'
import { progressPrinter } from './start/progress.ts'
import { watchRelease } from './start/watch.ts'

/** `npm start`: everything of one installation in one terminal, until Ctrl-C. */
const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // npm sends the terminal's Ctrl-C a second time; one is enough, and the way down must not be cut short.
  process.on(signal, () => stopping.abort())
}

const toldToStop = new Promise<'told'>((resolve) => {
  stopping.signal.addEventListener('abort', () => resolve('told'))
})

async function run(): Promise<number> {
  const programs = createPrograms()
  try {
    const started = await Promise.race([
      startInstallation(readOptions(process.argv.slice(2)), programs, console.log),
      toldToStop,
    ])
    if (started === 'told') return 0
    greet(started)
    const watching = watchDemo(started)
    const ended = await Promise.race([programs.broken, toldToStop])
    if (ended !== 'told') console.error(`\n${ended}. The logs are in the data folder.`)
    stopping.abort()
    await watching
    console.log('\nStopping the devices, then the server.')
    return ended === 'told' ? 0 : 1
  } finally {
    await programs.stop()
    if (stopping.signal.aborted) console.log('Stopped.')
  }
}

function greet({ server, signInLink }: Installation): void {
  console.log(`\nBascule is at   ${server.url}`)
  if (signInLink !== undefined) console.log(`Sign in once at ${signInLink}`)
  console.log('Stop with Ctrl-C; the next start goes on where it was.\n')
}

/** A hiccup of the display must not stop what it displays. */
async function watchDemo({ demo }: Installation): Promise<void> {
  if (demo === undefined) return
  try {
    const printer = progressPrinter(process.stdout)
    const end = await watchRelease(demo, { show: (progress) => printer.show(progress), signal: stopping.signal })
    if (end?.state === 'completed') console.log('The demo release is verified on all its devices.')
    else if (end) console.log(`The demo release ended as ${end.state}.`)
  } catch (cause) {
    console.error(`The progress cannot be shown any more: ${(cause as Error).message}`)
  }
}

try {
  process.exitCode = await run()
} catch (cause) {
  console.error((cause as Error).message)
  process.exitCode = 1
}

import { stripVTControlCharacters } from 'node:util'

/** What the API tells about a rollout, as far as a line of progress needs it. */
export interface RolloutProgress {
  readonly state: string
  readonly next: string
  readonly phases: readonly {
    readonly order: number
    readonly name: string
    readonly state: string
    readonly tally: {
      readonly size: number
      readonly verified: number
      readonly failures: number
      readonly inFlight: number
    }
  }[]
}

const finalStates = ['completed', 'completed-with-residual', 'closed', 'backed-out', 'aborted']

export function isOver({ state }: RolloutProgress): boolean {
  return finalStates.includes(state)
}

/** One line per phase: `Phase 2 Designers  ██████░░  1 of 2 verified, 1 installing (open)`. */
export function phaseLines({ phases }: RolloutProgress): string[] {
  const width = Math.max(0, ...phases.map((phase) => phase.name.length))
  return phases.map(({ order, name, state, tally }) => {
    const done = tally.size === 0 ? 0 : Math.round((8 * tally.verified) / tally.size)
    const bar = '█'.repeat(done) + '░'.repeat(8 - done)
    const failures = tally.failures > 0 ? `, ${tally.failures} failed` : ''
    const inFlight = tally.inFlight > 0 ? `, ${tally.inFlight} installing` : ''
    return `Phase ${order} ${name.padEnd(width)}  ${bar}  ${tally.verified} of ${tally.size} verified${inFlight}${failures} (${state})`
  })
}

export interface ProgressPrinter {
  show(progress: RolloutProgress): void
}

interface Screen {
  write(text: string): unknown
  readonly isTTY?: boolean
}

/** On a terminal the lines are rewritten in place; elsewhere a line is printed when it changed. */
export function progressPrinter(screen: Screen): ProgressPrinter {
  let shown: readonly string[] = []
  return {
    show(progress) {
      const lines = phaseLines(progress)
      if (lines.join() === shown.join()) return
      if (screen.isTTY) {
        const back = shown.length > 0 ? `\u001B[${shown.length}A` : ''
        screen.write(back + lines.map((line) => `\u001B[2K${line}\n`).join(''))
      } else {
        const changed = lines.filter((line, index) => line !== shown[index])
        screen.write(changed.map((line) => `${stripVTControlCharacters(line)}\n`).join(''))
      }
      shown = lines
    },
  }
}

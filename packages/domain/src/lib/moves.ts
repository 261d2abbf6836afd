/** The allowed moves of a state machine: for each state the states that may follow it at once. */
export type Moves<State extends string> = Readonly<Record<State, readonly State[]>>

/**
 * The states that are passed through between two states, empty for a direct move, undefined where there is no way.
 * Only states of `through` are passed: they are decided and left in the same moment, and nobody rests there.
 */
export function pathBetween<State extends string>(
  moves: Moves<State>,
  from: State,
  to: State,
  through: readonly State[],
): readonly State[] | undefined {
  const seen = new Set<State>([from])
  let edge: { readonly state: State; readonly passed: readonly State[] }[] = [{ state: from, passed: [] }]
  while (edge.length > 0) {
    const found = edge.find(({ state }) => moves[state].includes(to))
    if (found) return found.passed
    edge = edge.flatMap(({ state, passed }) =>
      moves[state]
        .filter((next) => through.includes(next) && !seen.has(next))
        .map((next) => {
          seen.add(next)
          return { state: next, passed: [...passed, next] }
        }),
    )
  }
  return undefined
}

/**
 * Natural group commit: while one run is under way, requests gather; then all of them go in the next run. There is
 * no timer, so a lone request waits for nobody. At most one run is in flight, so what a run locks it locks alone.
 */
export interface GroupCommit<Item, Answer> {
  /** Answers once the run that carried the item has committed; rejects when that run failed for this item. */
  add(item: Item): Promise<Answer>
  /** Resolves when everything added so far is done. */
  idle(): Promise<void>
}

interface Waiting<Item, Answer> {
  readonly item: Item
  readonly resolve: (answer: Answer) => void
  readonly reject: (reason: unknown) => void
}

/**
 * `run` gets at most `most` items and returns their answers in the same order. When a run with several items throws,
 * each is tried alone, so that one bad item never fails its neighbours.
 */
export function groupCommit<Item, Answer>(
  run: (items: readonly Item[]) => Promise<readonly Answer[]>,
  most = 500,
): GroupCommit<Item, Answer> {
  const waiting: Waiting<Item, Answer>[] = []
  let running: Promise<void> | undefined

  async function settle(group: readonly Waiting<Item, Answer>[]): Promise<void> {
    try {
      const answers = await run(group.map((one) => one.item))
      if (answers.length !== group.length) throw new Error(`A group of ${group.length} got ${answers.length} answers`)
      group.forEach((one, at) => one.resolve(answers[at] as Answer))
    } catch (error) {
      const [only, ...others] = group
      if (only !== undefined && others.length === 0) return only.reject(error)
      for (const one of group) await settle([one])
    }
  }

  async function drain(): Promise<void> {
    while (waiting.length > 0) await settle(waiting.splice(0, most))
    running = undefined
  }

  async function idle(): Promise<void> {
    if (running === undefined) return
    await running
    await idle()
  }

  return {
    add(item) {
      return new Promise<Answer>((resolve, reject) => {
        waiting.push({ item, resolve, reject })
        running ??= Promise.resolve().then(drain)
      })
    },
    idle,
  }
}

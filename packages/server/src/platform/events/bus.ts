import type { Change } from './publish.ts'

/** What a listener hears: changes, or that some may have been missed and everything should be looked at again. */
export type Notice = readonly Change[] | 'missed'

/** Hands notices to whoever listens in this process. A listener that throws does not keep the others from hearing. */
export interface EventBus {
  emit(notice: Notice): void
  /** Returns what ends the listening. */
  listen(listener: (notice: Notice) => void): () => void
}

export function createEventBus(onError: (cause: unknown) => void): EventBus {
  const listeners = new Set<(notice: Notice) => void>()
  return {
    emit(notice) {
      for (const listener of listeners) {
        try {
          listener(notice)
        } catch (cause) {
          onError(cause)
        }
      }
    },
    listen(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

import { useSyncExternalStore } from 'react'

/** What the server says about a change: which thing (`*` for many of its kind), and its version after the change. */
export interface LiveEvent {
  entity: string
  id: string
  version: string
}

/** Some changes were missed, so everything on the screen may be old. */
const everything: LiveEvent = { entity: '*', id: '*', version: '' }

export type LiveState = { kind: 'connecting' } | { kind: 'live' } | { kind: 'reconnecting'; sinceMs: number }

type Message = { kind: 'event'; event: LiveEvent } | { kind: 'state'; state: LiveState } | { kind: 'who-is-there' }

const eventsPath = '/api/events'
const channelName = 'bascule-live'
const repaintMs = 250

/**
 * The one connection of a browser to the server's events. The tab that holds the lock keeps it and tells the others;
 * when that tab closes, the lock passes on. Where locks are missing (plain http from afar), each tab has its own.
 */
class LiveConnection {
  #state: LiveState = { kind: 'connecting' }
  #listeners = new Set<() => void>()
  #onEvents: (events: readonly LiveEvent[]) => void = () => undefined
  #pending = new Map<string, LiveEvent>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #channel: BroadcastChannel | undefined
  #source: EventSource | undefined
  #abort: AbortController | undefined

  /** Starts listening; events come in batches, at most four a second. */
  start(onEvents: (events: readonly LiveEvent[]) => void): () => void {
    this.#onEvents = onEvents
    this.#abort = new AbortController()
    this.#channel = new BroadcastChannel(channelName)
    this.#channel.addEventListener('message', (message: MessageEvent<Message>) => this.#hear(message.data))
    this.#tell({ kind: 'who-is-there' })
    this.#lead(this.#abort.signal)
    return () => this.#stop()
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  read = (): LiveState => this.#state

  #lead(signal: AbortSignal): void {
    // The types promise locks everywhere; outside a secure context they are missing.
    const locks = navigator.locks as LockManager | undefined
    if (locks === undefined) {
      this.#connect()
      return
    }
    locks
      .request(channelName, { signal }, () => {
        this.#connect()
        // Held until this tab closes or stops listening.
        return new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
      })
      .catch((error: unknown) => {
        if (!signal.aborted) throw error
      })
  }

  #connect(): void {
    this.#source = new EventSource(eventsPath)
    this.#source.addEventListener('open', () => this.#say({ kind: 'state', state: { kind: 'live' } }))
    this.#source.addEventListener('error', () => this.#lost())
    this.#source.addEventListener('change', (message: MessageEvent<string>) =>
      this.#say({ kind: 'event', event: JSON.parse(message.data) as LiveEvent }),
    )
    this.#source.addEventListener('missed', () => this.#say({ kind: 'event', event: everything }))
  }

  #lost(): void {
    const sinceMs = this.#state.kind === 'reconnecting' ? this.#state.sinceMs : Date.now()
    this.#say({ kind: 'state', state: { kind: 'reconnecting', sinceMs } })
    // A browser gives up after a refusal such as 401; then nobody would try again.
    if (this.#source?.readyState !== EventSource.CLOSED) return
    setTimeout(() => {
      if (this.#abort?.signal.aborted === false) this.#connect()
    }, 5000)
  }

  #say(message: Message): void {
    this.#tell(message)
    this.#hear(message)
  }

  #tell(message: Message): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel reaches this origin only and takes no target
    this.#channel?.postMessage(message)
  }

  #hear(message: Message): void {
    if (message.kind === 'event') this.#collect(message.event)
    else if (message.kind === 'state') this.#become(message.state)
    else if (this.#source !== undefined) this.#tell({ kind: 'state', state: this.#state })
  }

  #become(state: LiveState): void {
    this.#state = state
    for (const listener of this.#listeners) listener()
  }

  #collect(event: LiveEvent): void {
    this.#pending.set(`${event.entity} ${event.id}`, event)
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      const events = [...this.#pending.values()]
      this.#pending.clear()
      this.#onEvents(events)
    }, repaintMs)
  }

  #stop(): void {
    this.#abort?.abort()
    this.#source?.close()
    this.#source = undefined
    this.#channel?.close()
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}

export const liveConnection = new LiveConnection()

export function useLive(): LiveState {
  return useSyncExternalStore(liveConnection.subscribe, liveConnection.read)
}

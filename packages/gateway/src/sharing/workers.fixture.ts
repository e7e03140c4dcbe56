import { setImmediate as turn } from 'node:timers/promises'
import type { OpenStore, StoreContext } from '@limpet/core'
import type { FromParent, FromWorker } from './messages.ts'
import type { Peer } from './outbox.ts'
import type { ParentSessions } from './parent-sessions.ts'
import { WorkerSessions } from './worker-sessions.ts'

const CONTEXT: StoreContext = {
  pool: 'web',
  field: 'header/X-Session',
  names: [],
  ttlMs: 3_600_000,
  now: Date.now,
}

interface Sent {
  readonly message: FromParent
  readonly written: (() => void) | undefined
}

/** A worker whose channel delivers a message when it is told to. */
export class TestWorker implements Peer {
  readonly sessions: WorkerSessions
  readonly toParent: FromWorker[] = []
  readonly toWorker: Sent[] = []
  readonly store: OpenStore
  readonly #parent: ParentSessions

  constructor(parent: ParentSessions, maxEntries?: number) {
    this.#parent = parent
    this.sessions = new WorkerSessions('a secret', message => void this.toParent.push(message))
    this.store = this.sessions.storeOf(maxEntries).open(CONTEXT)
  }

  send(message: FromParent, written?: () => void): void {
    this.toWorker.push({ message, written })
  }

  /** Delivers the oldest message of each direction. */
  deliver(direction: 'up' | 'down'): void {
    if (direction === 'up') {
      const message = this.toParent.shift()
      if (message !== undefined) this.#parent.receive(this, message)
      return
    }
    const sent = this.toWorker.shift()
    if (sent === undefined) return
    this.sessions.receive(sent.message)
    sent.written?.()
  }
}

/** Delivers messages until there are none. */
export async function settle(workers: readonly TestWorker[]): Promise<void> {
  for (let quiet = 0; quiet < 3; quiet += 1) {
    await turn()
    for (const worker of workers) {
      while (worker.toParent.length + worker.toWorker.length > 0) {
        quiet = 0
        worker.deliver('up')
        worker.deliver('down')
      }
    }
  }
}

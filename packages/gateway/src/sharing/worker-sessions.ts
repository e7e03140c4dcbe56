import { hkdfSync } from 'node:crypto'
import type { OpenStore, SharedStore } from '@limpet/core'
import type { FromParent, FromWorker } from './messages.ts'
import { WorkerTable } from './worker-table.ts'

const HASH_KEY_BYTES = 16

/** The learned sessions that a worker shares with the others, through its parent. */
export class WorkerSessions {
  readonly #hashKey: Uint8Array
  readonly #send: (message: FromWorker) => void
  readonly #tables = new Map<string, { readonly table: WorkerTable; maxEntries: number | undefined }>()

  /**
   * @param secret the same in all workers of one parent
   * @param send to the parent; does nothing when the channel is closed
   */
  constructor(secret: string, send: (message: FromWorker) => void) {
    this.#hashKey = new Uint8Array(
      hkdfSync('sha256', secret, '', 'limpet/workers/v1/sessions', HASH_KEY_BYTES),
    )
    this.#send = send
  }

  /** Resolves when all sessions that the parent knew have arrived. */
  get loaded(): Promise<void> {
    return Promise.all(Array.from(this.#tables.values(), async ({ table }) => table.loaded)).then(
      () => undefined,
    )
  }

  /** @param maxEntries sessions that each process remembers at most */
  storeOf(maxEntries: number | undefined): SharedStore {
    return { open: ({ pool, field }) => this.#open(`${pool}/${field}`, maxEntries) }
  }

  receive(message: FromParent): void {
    if (message.what !== 'pass') {
      this.#tables.get(message.table)?.table.receive(message)
      return
    }
    this.flush()
    this.#send({ what: 'passed', round: message.round })
  }

  /** Sends all changes. */
  flush(): void {
    for (const { table } of this.#tables.values()) table.flush()
  }

  /** Forgets all other tables. */
  retain(tables: ReadonlySet<string>): void {
    for (const name of this.#tables.keys()) if (!tables.has(name)) this.#tables.delete(name)
  }

  #open(name: string, maxEntries: number | undefined): OpenStore {
    const known = this.#tables.get(name)
    if (known !== undefined && known.maxEntries === maxEntries) return known.table
    const send = this.#send
    if (known === undefined) {
      const table = new WorkerTable({ name, hashKey: this.#hashKey, maxEntries, send })
      this.#tables.set(name, { table, maxEntries })
      send({ what: 'open', table: name, maxEntries })
      return table
    }
    known.table.resize(maxEntries)
    known.maxEntries = maxEntries
    send({ what: 'open', table: name, maxEntries })
    return known.table
  }
}

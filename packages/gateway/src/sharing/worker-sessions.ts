import { hkdfSync } from 'node:crypto'
import type { OpenStore, SharedStore } from '@limpet/core'
import type { FromParent, FromWorker } from './messages.ts'
import { WorkerTable } from './worker-table.ts'

const HASH_KEY_BYTES = 16

interface OpenTable {
  readonly table: WorkerTable
  maxEntries: number | undefined
}

/** The learned sessions that a worker shares with the others, through its parent. */
export class WorkerSessions {
  readonly #hashKey: Uint8Array
  readonly #send: (message: FromWorker) => void
  readonly #tables = new Map<string, OpenTable>()

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

  /** @param maxEntries sessions that each process remembers at most; a table that is open keeps its number until `retain` */
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

  /** Goes on with these tables alone, at these sizes: the result of a reload, or the state before it. */
  retain(tables: ReadonlyMap<string, number | undefined>): void {
    for (const [name, known] of this.#tables) {
      if (!tables.has(name)) this.#tables.delete(name)
      else if (known.maxEntries !== tables.get(name)) this.#resize(name, known, tables.get(name))
    }
  }

  #open(name: string, maxEntries: number | undefined): OpenStore {
    const known = this.#tables.get(name)
    if (known !== undefined) return known.table
    const send = this.#send
    const table = new WorkerTable({ name, hashKey: this.#hashKey, maxEntries, send })
    this.#tables.set(name, { table, maxEntries })
    send({ what: 'open', table: name, maxEntries })
    return table
  }

  #resize(name: string, known: OpenTable, maxEntries: number | undefined): void {
    known.table.resize(maxEntries)
    known.maxEntries = maxEntries
    this.#send({ what: 'open', table: name, maxEntries })
  }
}

import type { FromWorker } from './messages.ts'
import type { Peer } from './outbox.ts'
import { ParentTable } from './parent-table.ts'
import { Rounds } from './rounds.ts'
import { decodeHashes } from './session-change.ts'

/**
 * The learned sessions of all workers, in their parent: it puts changes into one sequence, tells them to the other
 * workers, and tells all of them to a worker that starts. So sessions also outlive the end of all workers.
 */
export class ParentSessions {
  readonly #tables = new Map<string, ParentTable>()
  readonly #rounds = new Rounds()

  receive(peer: Peer, message: FromWorker): void {
    switch (message.what) {
      case 'open':
        this.#rounds.joined(peer)
        this.#open(peer, message.table, message.maxEntries)
        return
      case 'changes':
        this.#tables.get(message.table)?.take(peer, message.number, message.batch)
        return
      case 'ask':
        this.#answer(peer, message.table, message.hashes)
        return
      case 'passed':
        this.#rounds.passed(peer, message.round)
    }
  }

  /** The worker has ended. */
  left(peer: Peer): void {
    this.#rounds.left(peer)
    for (const table of this.#tables.values()) table.left(peer)
  }

  /** Forgets all other tables. */
  retain(tables: Pick<ReadonlySet<string>, 'has'>): void {
    for (const name of this.#tables.keys()) if (!tables.has(name)) this.#tables.delete(name)
  }

  #open(peer: Peer, name: string, maxEntries: number | undefined): void {
    let table = this.#tables.get(name)
    if (table === undefined) this.#tables.set(name, (table = new ParentTable(name, maxEntries)))
    table.open(peer, maxEntries)
  }

  #answer(peer: Peer, name: string, hashes: string): void {
    const table = this.#tables.get(name)
    if (table === undefined) return
    for (const hash of decodeHashes(hashes)) {
      if (table.tell(peer, hash)) continue
      this.#rounds.ask(() => {
        if (!table.tell(peer, hash)) table.tellUnknown(peer, hash)
      })
    }
  }
}

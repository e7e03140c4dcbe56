import type { Limits } from '../config/config.ts'

/** Key of all connections, beside those of addresses. */
const ALL = ''

/**
 * Client connections of this process, all and by address, which count towards `connections` and `connectionsPerAddress`
 * together with those of the other workers.
 */
export class ConnectionCounts {
  /** Counts of the other workers together, as far as they are known: by address, and of all connections. */
  elsewhere: ReadonlyMap<string, number> = new Map()
  readonly #workers: number
  readonly #byAddress = new Map<string, number>()
  /** Counts that the other workers are told. */
  readonly #shared = new Map<string, number>()
  #all = 0
  #limits: Limits

  /** @param workers of the gateway, this one included */
  constructor(limits: Limits, workers: number) {
    this.#limits = limits
    this.#workers = workers
  }

  set limits(limits: Limits) {
    this.#limits = limits
    this.#shared.clear()
    this.#share(ALL, this.#all)
    for (const [address, count] of this.#byAddress) this.#share(address, count)
  }

  /**
   * Counts that the other workers need: of all connections, and of addresses that hold more than a share of their limit
   * here. Many addresses that hold less cost no messages.
   */
  get shared(): Iterable<readonly [string, number]> {
    return this.#shared
  }

  /** Counts a connection until it leaves. Returns whether the limits permit it. */
  enter(address: string | undefined): boolean {
    const { connections, connectionsPerAddress } = this.#limits
    this.#all += 1
    this.#share(ALL, this.#all)
    const isRoom = connections === 0 || this.#all + this.#elsewhere(ALL) <= connections
    if (address === undefined) return isRoom
    const count = (this.#byAddress.get(address) ?? 0) + 1
    this.#set(address, count)
    return (
      isRoom && (connectionsPerAddress === 0 || count + this.#elsewhere(address) <= connectionsPerAddress)
    )
  }

  leave(address: string | undefined): void {
    this.#all -= 1
    this.#share(ALL, this.#all)
    if (address !== undefined) this.#set(address, (this.#byAddress.get(address) ?? 0) - 1)
  }

  #elsewhere(key: string): number {
    return this.elsewhere.get(key) ?? 0
  }

  #set(address: string, count: number): void {
    if (count > 0) this.#byAddress.set(address, count)
    else this.#byAddress.delete(address)
    this.#share(address, count)
  }

  #share(key: string, count: number): void {
    const { connections, connectionsPerAddress } = this.#limits
    const isNeeded =
      key === ALL
        ? connections > 0 && count > 0
        : connectionsPerAddress > 0 && count * 2 * this.#workers > connectionsPerAddress
    if (isNeeded) this.#shared.set(key, count)
    else this.#shared.delete(key)
  }
}

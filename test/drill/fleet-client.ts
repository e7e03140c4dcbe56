import { Agent } from 'node:http'
import type { ShopAnswer } from '../support/shop-process.ts'
import type { Balancer } from './balancer.ts'
import { SESSION_FIELD } from './fleet.ts'

/** One request. Times are milliseconds since the epoch. */
export interface FleetVisit {
  /** 0 when no gateway has answered. */
  readonly status: number
  readonly startedMs: number
  readonly endedMs: number
  readonly repeated: number
}

export interface FleetMove {
  readonly from: string
  readonly to: string
  readonly atMs: number
}

/** A client without cookies: it brings the id of its session in a field, once it has one. */
export class FleetClient {
  readonly visits: FleetVisit[] = []
  readonly moves: FleetMove[] = []
  /** The shop that has its session. */
  home: string | undefined
  readonly #balancer: Balancer
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })
  #id: string | undefined
  #gateway: number

  /** @param id of a session that no shop has begun */
  constructor(balancer: Balancer, id?: string) {
    this.#balancer = balancer
    this.#gateway = balancer.any()
    this.#id = id
  }

  /** @param isRoaming by a new connection to any gateway, and not by the one that it has */
  async visit(isRoaming: boolean): Promise<void> {
    const headers = this.#id === undefined ? {} : { [SESSION_FIELD]: this.#id }
    const startedMs = Date.now()
    const { response, gateway, repeated } = await (isRoaming
      ? this.#balancer.get(this.#balancer.any(), headers)
      : this.#balancer.get(this.#gateway, headers, this.#agent))
    this.#gateway = gateway
    const endedMs = Date.now()
    this.visits.push({ status: response?.status ?? 0, startedMs, endedMs, repeated })
    if (response?.status !== 200) return
    // A shop that does not know the session begins another.
    this.#id = response.header(SESSION_FIELD) ?? this.#id
    const { id } = JSON.parse(response.text) as ShopAnswer
    if (this.home !== undefined && this.home !== id)
      this.moves.push({ from: this.home, to: id, atMs: endedMs })
    this.home = id
  }

  leave(): void {
    this.#agent.destroy()
  }
}

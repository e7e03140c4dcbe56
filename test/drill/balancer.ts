import type { Agent } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { ask, type BackendResponse } from '../support/http-client.ts'
import type { FleetGateway } from './fleet-gateway.ts'

/** When every gateway has refused. */
const PAUSE_MS = 20
/**
 * A request that no gateway has taken for so long is an error. A connection that a killed worker had yet to confirm takes
 * 15 s of it, and a starved machine starts the successors slowly.
 */
const GIVEN_UP_MS = 60_000

export interface Balanced {
  /** Undefined: no gateway has answered. */
  readonly response: BackendResponse | undefined
  /** The gateway that has, by its index. */
  readonly gateway: number
  /** Attempts that ended without a complete response. */
  readonly repeated: number
}

/**
 * A balancer in front of the gateways: it knows neither sessions nor the health of a gateway, and repeats a GET without a
 * complete response at the next one. (HAProxy `retry-on conn-failure empty-response` with `option redispatch`)
 */
export class Balancer {
  readonly #gateways: readonly FleetGateway[]

  constructor(gateways: readonly FleetGateway[]) {
    this.#gateways = gateways
  }

  /** The index of any gateway. */
  any(): number {
    return Math.floor(Math.random() * this.#gateways.length)
  }

  /** @param agent undefined: a connection of its own */
  async get(first: number, headers: Record<string, string>, agent?: Agent): Promise<Balanced> {
    const { length } = this.#gateways
    const endMs = performance.now() + GIVEN_UP_MS
    for (let repeated = 0; ; repeated += 1) {
      const gateway = (first + repeated) % length
      const port = this.#gateways[gateway]?.port ?? 0
      const asked = { path: '/cart', headers, ...(agent !== undefined && { agent }) }
      const response = await ask(port, asked).catch(() => undefined)
      if (response?.complete === true) return { response, gateway, repeated }
      if (performance.now() > endMs) return { response: undefined, gateway, repeated }
      if ((repeated + 1) % length === 0) await delay(PAUSE_MS)
    }
  }
}

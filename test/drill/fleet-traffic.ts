import { setTimeout as delay } from 'node:timers/promises'
import { Balancer } from './balancer.ts'
import type { Fleet } from './fleet.ts'
import { FleetClient, type FleetVisit } from './fleet-client.ts'
import { keepComing } from './keep-coming.ts'
import type { Load } from './traffic.ts'

/** A new session this often. */
const NEWCOMER_MS = 1_000
/** A request with an id that no shop has given this often: each is a look-up. */
const STRANGER_MS = 100
const POLL_MS = 20

/** Clients of a fleet: sessions that go on, new ones, and ids that no gateway knows. */
export class FleetTraffic {
  readonly clients: FleetClient[] = []
  readonly strangers: FleetVisit[] = []
  /** Each request takes a new connection to any gateway. Otherwise a client keeps its connection. */
  isRoaming = true
  readonly #balancer: Balancer
  readonly #pauseMs: number
  readonly #running: Promise<void>[] = []
  readonly #fleet: Fleet
  #isOver = false

  constructor(fleet: Fleet, { visitors, perSecond }: Load) {
    this.#fleet = fleet
    this.#balancer = new Balancer(fleet.gateways)
    this.#pauseMs = (visitors / perSecond) * 1000
    for (let number = 0; number < visitors; number += 1) this.#begin((number / visitors) * this.#pauseMs)
    this.#every(NEWCOMER_MS, async () => this.#begin(0))
    this.#every(STRANGER_MS, async () => this.#stranger())
  }

  get visits(): readonly FleetVisit[] {
    return [...this.clients.flatMap(({ visits }) => visits), ...this.strangers]
  }

  /** Settles when every client has been answered a request that began after this moment. */
  async round(): Promise<void> {
    const sinceMs = Date.now()
    for (const client of this.clients.slice()) {
      while ((client.visits.at(-1)?.startedMs ?? 0) <= sinceMs) await delay(POLL_MS)
    }
  }

  /** Waits for requests in flight. */
  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#running)
    for (const client of this.clients) client.leave()
  }

  #begin(delayMs: number): void {
    const client = new FleetClient(this.#balancer)
    this.clients.push(client)
    this.#every(this.#pauseMs, async () => client.visit(this.isRoaming), delayMs)
  }

  async #stranger(): Promise<void> {
    const stranger = new FleetClient(this.#balancer, `stranger-${this.strangers.length}-${Date.now()}`)
    await stranger.visit(true)
    this.strangers.push(...stranger.visits)
  }

  #every(pauseMs: number, visit: () => Promise<void>, delayMs = pauseMs): void {
    this.#running.push(
      keepComing(visit, { delayMs, pauseMs, isOver: () => this.#isOver || this.#fleet.isStopped }),
    )
  }
}

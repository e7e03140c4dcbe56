import { setTimeout as delay } from 'node:timers/promises'
import { keepComing } from './keep-coming.ts'
import { type Visit, Visitor } from './visitor.ts'

const POLL_MS = 20

export interface Load {
  readonly visitors: number
  readonly perSecond: number
}

/** Visitors who come at fixed times, whether or not the others were answered; none does two things at once. */
export class Traffic {
  readonly visitors: readonly Visitor[]
  /** Newcomers, each with no cookie, who came once. */
  readonly newcomers: Visitor[] = []
  readonly #port: number
  readonly #running: Promise<unknown>
  #isOver = false

  constructor(port: number, { visitors, perSecond }: Load) {
    this.#port = port
    const pauseMs = (visitors / perSecond) * 1000
    this.visitors = Array.from({ length: visitors }, (_, number) => new Visitor(port, number))
    this.#running = Promise.all(
      this.visitors.map(async visitor =>
        keepComing(async () => visitor.visit(), {
          delayMs: (visitor.number / visitors) * pauseMs,
          pauseMs,
          isOver: () => this.#isOver,
        }),
      ),
    )
  }

  get visits(): readonly Visit[] {
    return this.visitors.flatMap(({ visits }) => visits)
  }

  /** One visit of a new visitor. */
  async newcomer(): Promise<Visitor> {
    const visitor = new Visitor(this.#port, 10_000 + this.newcomers.length)
    this.newcomers.push(visitor)
    await visitor.visit()
    visitor.leave()
    return visitor
  }

  /** Settles when every visitor has had the response to a request that began after this moment. */
  async round(): Promise<void> {
    const sinceMs = Date.now()
    for (const { visits } of this.visitors)
      while ((visits.at(-1)?.startedMs ?? 0) <= sinceMs) await delay(POLL_MS)
  }

  /** Waits for requests in flight. */
  async stop(): Promise<void> {
    this.#isOver = true
    await this.#running
    for (const visitor of this.visitors) visitor.leave()
  }
}

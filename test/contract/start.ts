import { promisify } from 'node:util'
import type { BackendOptions, BackendView } from '@limpet/core'
import { afterAll, afterEach, beforeAll, expect, onTestFinished } from 'vitest'
import { Backend } from '../support/backend.ts'
import { Browser } from '../support/browser.ts'
import { type BackendResponse, ask, type Asked } from '../support/http-client.ts'
import { type RawExchange, sendRaw } from '../support/raw-client.ts'
import { TunnelBackend } from '../support/tunnel-backend.ts'
import type { Gateway, GatewayOptions, Harness } from './harness.ts'

/** A secret of 32 bytes, for tests alone. */
export const SECRET = 'a-secret-of-the-tests-0123456789abcdef'

/** Starts a gateway before these backends and closes it when the test ends. */
export type Start = (
  backends: readonly (Backend | BackendOptions)[],
  options?: Partial<GatewayOptions>,
) => Promise<RunningGateway>

/** A gateway, and the handles that the tests have on it. */
export class RunningGateway {
  readonly port: number
  readonly affinity: Gateway['affinity']
  /** Whether the test has closed it. */
  isClosed = false
  readonly #gateway: Gateway

  constructor(gateway: Gateway) {
    this.port = gateway.port
    this.affinity = gateway.affinity
    this.#gateway = gateway
  }

  get pool(): Gateway['affinity']['pool'] {
    return this.affinity.pool
  }

  /** Where its clients' connections end. */
  get server(): Gateway['server'] {
    return this.#gateway.server
  }

  /** The pool's current view of a backend. */
  view({ id }: { readonly id: string }): BackendView {
    const view = this.pool.find(id)
    if (view === undefined) throw new Error(`no backend ${id}`)
    return view
  }

  async ask(asked?: Asked): Promise<BackendResponse> {
    return ask(this.port, asked)
  }

  async raw(text: string, options?: { answers?: number }): Promise<RawExchange> {
    return sendRaw(this.port, text, options)
  }

  /** How many connections its clients have. */
  async connections(): Promise<number> {
    return promisify<number>(done => this.server.getConnections(done))()
  }

  async close(): Promise<void> {
    this.isClosed = true
    await this.#gateway.close()
  }

  /** A client without a cookie yet. */
  browser(always?: Asked): Browser {
    return new Browser(this.port, always)
  }

  /** A client whose session is on this backend, which has to be one that answers like `echo`. */
  async browserOn({ id }: { readonly id: string }, always?: Asked): Promise<Browser> {
    for (let tries = 0; tries < 50; tries += 1) {
      const browser = this.browser(always)
      if ((await browser.visit('/hello')) === id) return browser
    }
    throw new Error(`no new session came to ${id}`)
  }
}

/**
 * Makes `start` for the tests of one describe block, and looks after each of them whether the gateways that it started
 * are sound: nothing in flight any more, no uncaught error, and plain requests still served.
 */
export function soundStart(harness: Harness): Start {
  const uncaught: unknown[] = []
  const note = (error: unknown): void => void uncaught.push(error)
  const witness = new Backend('witness')
  let started: { gateway: RunningGateway; backends: readonly Backend[] }[] = []

  beforeAll(async () => {
    process.on('unhandledRejection', note)
    process.on('uncaughtExceptionMonitor', note)
    await witness.listen()
  })
  afterAll(async () => {
    process.off('unhandledRejection', note)
    process.off('uncaughtExceptionMonitor', note)
    await witness.refuse()
  })
  afterEach(async () => {
    const gateways = started
    started = []
    try {
      for (const { gateway, backends } of gateways) await expectSound(gateway, backends, witness)
    } finally {
      // The more telling of two failures, and it is not to be laid at the next test's door.
      expect(uncaught.splice(0), 'an uncaught error').toEqual([])
    }
  })

  return async (backends, options = {}) => {
    const rows = backends.map(backend => (backend instanceof Backend ? backend.options : backend))
    const gateway = await harness.start({ secrets: [SECRET], backends: rows, ...options })
    const running = new RunningGateway(gateway)
    onTestFinished(async () => void (running.isClosed || (await gateway.close())))
    started.push({ gateway: running, backends: backends.filter(backend => backend instanceof Backend) })
    return running
  }
}

async function expectSound(
  gateway: RunningGateway,
  backends: readonly Backend[],
  witness: Backend,
): Promise<void> {
  const { pool } = gateway
  const inFlight = () => pool.backends.map(({ backend, inFlight: count }) => `${backend.id}: ${count}`)
  const idle = pool.backends.map(({ backend }) => `${backend.id}: 0`)
  await expect.poll(inFlight, { message: 'requests in flight', interval: 5 }).toEqual(idle)
  for (const backend of backends) {
    if (!(backend instanceof TunnelBackend)) continue
    const open = () => backend.tunnels.size
    await expect.poll(open, { message: `tunnels of ${backend.id}`, interval: 5 }).toBe(0)
  }
  for (const backend of backends) expect(backend.malformed, `what ${backend.id} could not read`).toEqual([])
  if (gateway.isClosed) return
  pool.replace([witness.options])
  // Checks may not have seen it yet.
  pool.setHealthy(witness.id, true)
  const answer = await gateway.ask()
  expect(answer.status).toBe(200)
  expect(answer.echo.id).toBe('witness')
}

import { describe, expect, onTestFinished, test } from 'vitest'
import { type Backend, startBackends } from '../support/backend.ts'
import type { Script } from '../support/exchange.ts'
import { freePort } from '../support/free-port.ts'
import { fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'
import { echoWith } from '../support/scripts.ts'

/** Learned sessions that the workers of one gateway share, without a store. */

const HEADER = 'X-Session'
const WORKERS = 2

/** Gives an id to each client that brings none. */
function beginning(): Script {
  let number = 0
  return async exchange => {
    const { headers } = exchange.request
    if (headers[HEADER.toLowerCase()] !== undefined) return echoWith(200)(exchange)
    number += 1
    return echoWith(200, { [HEADER]: `${exchange.id}-session-${number}` })(exchange)
  }
}

function learningFile(backends: readonly Backend[], more: object = {}, learn: object = {}): object {
  const affinity = [{ learn: { header: HEADER, ...learn } }]
  return fileOf(backends, { workers: WORKERS, ...more }, { affinity })
}

async function shops(): Promise<readonly Backend[]> {
  const backends = await startBackends('w1', 'w2', 'w3', 'w4', 'w5')
  for (const backend of backends) backend.script = beginning()
  return backends
}

interface Session {
  readonly id: string
  readonly backend: string
}

async function begin(gateway: GatewayProcess): Promise<Session> {
  const response = await gateway.ask()
  return { id: response.header(HEADER) ?? '', backend: response.echo.id }
}

async function beginAll(gateway: GatewayProcess, count: number): Promise<readonly Session[]> {
  const sessions: Session[] = []
  while (sessions.length < count)
    sessions.push(...(await Promise.all(Array.from({ length: 10 }, async () => begin(gateway)))))
  return sessions
}

/** The sessions that a request each does not bring to their backend. */
async function lost(gateway: GatewayProcess, sessions: readonly Session[]): Promise<readonly string[]> {
  const met: string[] = []
  for (let at = 0; at < sessions.length; at += 10) {
    const asked = sessions.slice(at, at + 10).map(async ({ id, backend }) => {
      const { echo, status } = await gateway.ask({ headers: { [HEADER]: id } })
      return status === 200 && echo.id === backend ? [] : [`${id} at ${echo.id}`]
    })
    met.push(...(await Promise.all(asked)).flat())
  }
  return met
}

/** As often that each worker gets a request of it: every connection goes to the next one. */
function repeated(session: Session): readonly Session[] {
  return Array.from({ length: 2 * WORKERS }, () => session)
}

/** On a busy machine a lookup may give up before the news of a session arrives. */
async function expectKnown(gateway: GatewayProcess, sessions: readonly Session[]): Promise<void> {
  await expect.poll(async () => lost(gateway, sessions)).toEqual([])
}

/** The backend of a session on which all workers agree: each of them may have moved it. */
async function agreed(gateway: GatewayProcess, { id }: Session): Promise<string> {
  let found: readonly string[] = []
  await expect
    .poll(async () => {
      const asked = Array.from({ length: 2 * WORKERS }, async () =>
        gateway.ask({ headers: { [HEADER]: id } }),
      )
      found = (await Promise.all(asked)).map(({ echo }) => echo.id)
      return new Set(found).size
    })
    .toBe(1)
  return found[0] ?? ''
}

// Each process takes its time to start.
describe('workers that share learned sessions', { timeout: 60_000 }, () => {
  test('know a session that another worker has learned', async () => {
    const gateway = await GatewayProcess.start(learningFile(await shops()))
    for (let round = 0; round < 20; round += 1) {
      const session = await begin(gateway)
      await expectKnown(gateway, repeated(session))
    }
  })

  test('know where a session has moved to', async () => {
    const backends = await shops()
    const gateway = await GatewayProcess.start(learningFile(backends))
    const session = await begin(gateway)
    await expectKnown(gateway, repeated(session))
    const before = backends.find(({ id }) => id === session.backend)
    await before?.refuse()
    const { echo } = await gateway.ask({ headers: { [HEADER]: session.id } })
    expect(echo.id).not.toBe(session.backend)
    await before?.listen()
    const moved = { id: session.id, backend: echo.id }
    await expectKnown(gateway, repeated(moved))
  })

  test('leave a session where it has moved while requests of it were in flight', async () => {
    const backends = await shops()
    const gateway = await GatewayProcess.start(learningFile(backends))
    const session = await begin(gateway)
    await expectKnown(gateway, repeated(session))
    const before = backends.find(({ id }) => id === session.backend) as Backend
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const arrived = before.seen.length
    before.script = async exchange => {
      await released
      return echoWith(200)(exchange)
    }
    const headers = { [HEADER]: session.id }
    // A request that may not be repeated stays where it is when the backend goes down.
    const inFlight = repeated(session).map(async () => gateway.ask({ method: 'POST', body: 'x', headers }))
    await before.arrival(arrived + inFlight.length)
    before.stopAccepting()
    const moved = { id: session.id, backend: await agreed(gateway, session) }
    expect(moved.backend).not.toBe(session.backend)
    release()
    expect((await Promise.all(inFlight)).map(response => response.echo.id)).toEqual(
      inFlight.map(() => session.backend),
    )
    await before.refuse()
    await before.listen()
    await expectKnown(gateway, repeated(moved))
  })

  test('give all sessions to the successor of a killed worker, and of all of them', async () => {
    const more = { listen: `127.0.0.1:${await freePort()}` }
    const gateway = await GatewayProcess.start(learningFile(await shops(), more))
    const sessions = await beginAll(gateway, 100)
    gateway.killWorker()
    await gateway.logged('worker_started')
    await expectKnown(gateway, sessions)
    for (const worker of gateway.workers) process.kill(worker, 'SIGKILL')
    await gateway.logged('worker_started', 1 + WORKERS)
    await expectKnown(gateway, sessions)
  })

  test('keep all sessions over a reload that replaces the pool, and its number of sessions', async () => {
    const backends = await shops()
    const gateway = await GatewayProcess.start(learningFile(backends))
    const sessions = await beginAll(gateway, 40)
    gateway.write(learningFile(backends, {}, { maxEntries: 1000, ttl: '2h' }))
    gateway.signal('SIGHUP')
    expect(await gateway.logged('reloaded')).toMatchObject({ changed: ['pools.web'] })
    await expectKnown(gateway, sessions)
    const more = await beginAll(gateway, 20)
    await expectKnown(gateway, more)
  })

  test('count each session once', async () => {
    const gateway = await GatewayProcess.start(learningFile(await shops()))
    const sessions = await beginAll(gateway, 40)
    await lost(gateway, sessions)
    const { text } = await gateway.admin('GET', '/stats.json')
    const { pools } = JSON.parse(text) as { pools: { web: { backends: { sessions: number }[] } } }
    expect(pools.web.backends.reduce((sum, one) => sum + one.sessions, 0)).toBe(40)
  })

  test('serve unknown sessions while a worker is stuck, and tell it all when it runs again', async () => {
    const gateway = await GatewayProcess.start(learningFile(await shops()))
    const [stuck = 0] = gateway.workers
    process.kill(stuck, 'SIGSTOP')
    onTestFinished(() => void process.kill(stuck, 'SIGCONT'))
    // A connection that the stopped worker has is served when it runs again.
    const started = Array.from({ length: 40 }, async () => begin(gateway))
    const unknown = Array.from({ length: 40 }, async (_, number) =>
      gateway.ask({ headers: { [HEADER]: `invented-${number}` } }),
    )
    const first = await Promise.any(unknown)
    expect(first.status).toBe(200)
    process.kill(stuck, 'SIGCONT')
    const sessions = await Promise.all(started)
    expect((await Promise.all(unknown)).map(({ status }) => status)).toEqual(Array.from(unknown, () => 200))
    await expectKnown(gateway, [...sessions, ...sessions])
  })
})

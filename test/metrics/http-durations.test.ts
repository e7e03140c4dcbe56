import { once } from 'node:events'
import { observeHttp } from '@limpet/metrics'
import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type Backend, startBackend, startBackends } from '../support/backend.ts'
import { ask } from '../support/http-client.ts'
import { type MeterPoint, startMeter } from '../support/meter-reader.ts'
import { MOUNTED, type MountedApp, type StartMounted } from '../support/mounted-app.ts'
import { bare, hang } from '../support/scripts.ts'
import { startTunnelBackend } from '../support/tunnel-backend.ts'
import { webSocketServer } from '../support/upgrade-scripts.ts'

const SERVER = 'http.server.request.duration'
const CLIENT = 'http.client.request.duration'

/** The bounds that the semantic conventions advise, in seconds. */
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

interface Observed extends MountedApp {
  /** The counts of durations by their attributes, without those that the test knows. */
  readonly counts: (name: string) => Promise<readonly (readonly [count: number, attributes: object])[]>
  readonly points: (name: string) => Promise<readonly MeterPoint[]>
  readonly end: () => void
}

async function observed(start: StartMounted, backends: readonly Backend[]): Promise<Observed> {
  const app = await start(backends, {})
  const { meter, points } = startMeter()
  const end = observeHttp(app.affinity, meter)
  return {
    ...app,
    points,
    end,
    async counts(name) {
      return (await points(name)).map(({ attributes, value }) => [
        (value as { count: number }).count,
        Object.fromEntries(Object.entries(attributes).filter(([key]) => !KNOWN.has(key))),
      ])
    },
  }
}

const KNOWN = new Set([
  'limpet.pool',
  'server.address',
  'server.port',
  'network.protocol.version',
  'url.scheme',
])

describe.each(MOUNTED)('the durations of HTTP on %s', (_name, start) => {
  test('have the names, the unit, the bounds and the attributes of the conventions', async () => {
    const w1 = await startBackend('w1')
    const { port, points } = await observed(start, [w1])
    await ask(port)
    await expect.poll(async () => (await points(SERVER)).length).toBe(1)
    const [server] = await points(SERVER)
    expect(server?.attributes).toEqual({
      'http.request.method': 'GET',
      'url.scheme': 'http',
      'network.protocol.version': '1.1',
      'http.response.status_code': 200,
      'limpet.pool': 'default',
    })
    const [client] = await points(CLIENT)
    expect(client?.attributes).toEqual({
      'http.request.method': 'GET',
      'server.address': '127.0.0.1',
      'server.port': w1.port,
      'network.protocol.version': '1.1',
      'http.response.status_code': 200,
      'limpet.pool': 'default',
      'limpet.backend': 'w1',
    })
    for (const point of [server, client]) {
      const { buckets, sum } = (point as MeterPoint).value as {
        sum: number
        buckets: { boundaries: number[] }
      }
      expect(buckets.boundaries).toEqual(BOUNDS)
      // In seconds: the whole test takes less than its time limit.
      expect(sum).toBeLessThan(30)
    }
  })

  test('name errors: of the server those from 500 on, of the client those from 400 on', async () => {
    const w1 = await startBackend('w1', bare(404))
    const { port, counts } = await observed(start, [w1])
    await ask(port, { method: 'PROPFIND' })
    w1.script = bare(500)
    await ask(port)
    await expect.poll(async () => (await counts(SERVER)).length).toBe(2)
    expect(await counts(SERVER)).toEqual([
      [1, { 'http.request.method': '_OTHER', 'http.response.status_code': 404 }],
      [1, { 'http.request.method': 'GET', 'http.response.status_code': 500, 'error.type': '500' }],
    ])
    expect(await counts(CLIENT)).toMatchObject([
      [1, { 'http.request.method': '_OTHER', 'http.response.status_code': 404, 'error.type': '404' }],
      [1, { 'http.request.method': 'GET', 'http.response.status_code': 500, 'error.type': '500' }],
    ])
  })

  test('are one of the server and one of the client for each attempt', async () => {
    const [w1, w2] = await startBackends('w1', 'w2')
    const { port, counts } = await observed(start, [w1, w2])
    await w1.refuse()
    expect((await ask(port)).status).toBe(200)
    await expect.poll(async () => (await counts(SERVER)).length).toBe(1)
    expect(await counts(CLIENT)).toEqual([
      [1, { 'http.request.method': 'GET', 'limpet.backend': 'w1', 'error.type': 'unreached' }],
      [1, { 'http.request.method': 'GET', 'limpet.backend': 'w2', 'http.response.status_code': 200 }],
    ])
    await w2.refuse()
    expect((await ask(port)).status).toBe(502)
    await expect.poll(async () => (await counts(SERVER)).length).toBe(2)
    expect((await counts(SERVER))[1]).toEqual([
      1,
      { 'http.request.method': 'GET', 'http.response.status_code': 502, 'error.type': '502' },
    ])
  })

  test('have the status of a request without a backend', async () => {
    const w1 = await startBackend('w1')
    const { port, affinity, counts } = await observed(start, [w1])
    affinity.pool.setState('w1', 'maint')
    expect((await ask(port)).status).toBe(503)
    await expect.poll(async () => (await counts(SERVER)).length).toBe(1)
    expect((await counts(SERVER))[0]?.[1]).toMatchObject({
      'http.response.status_code': 503,
      'error.type': '503',
    })
    expect(await counts(CLIENT)).toEqual([])
  })

  test('tell a client that has left, and end when they are observed no longer', async () => {
    const w1 = await startBackend('w1', hang)
    const { port, counts, end } = await observed(start, [w1])
    const client = new AbortController()
    const waiting = ask(port, { signal: client.signal }).catch(() => 'left')
    await expect.poll(() => w1.seen.length).toBe(1)
    client.abort()
    expect(await waiting).toBe('left')
    await expect.poll(async () => (await counts(SERVER)).length).toBe(1)
    const left = [[1, expect.objectContaining({ 'error.type': 'client_left' })]]
    expect(await counts(SERVER)).toEqual(left)
    expect(await counts(CLIENT)).toEqual(left)
    end()
    w1.script = bare(204)
    await ask(port)
    expect(await counts(SERVER)).toEqual(left)
  })

  test('count a WebSocket to the response to its handshake', async () => {
    const w1 = await startTunnelBackend('w1', webSocketServer())
    const { port, counts } = await observed(start, [w1])
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`)
    await once(socket, 'open')
    const switched = [[1, expect.objectContaining({ 'http.response.status_code': 101 })]]
    expect(await counts(SERVER)).toEqual(switched)
    socket.close()
    await once(socket, 'close')
    await expect.poll(() => w1.sockets.size).toBe(0)
    expect(await counts(SERVER)).toEqual(switched)
    expect(await counts(CLIENT)).toEqual(switched)
  })
})

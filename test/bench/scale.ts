import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Affinity, createAffinity, requestHead } from '@limpet/core'
import { Child } from './child.ts'
import { Clients } from './clients.ts'
import type { Report } from './gateways/serve.ts'
import { type Measured, median } from './measured.ts'

/*
 * Large numbers: idle clients of one process, a pool of 10,000 backends of which 100 change each second, and 100 pools.
 * `memory` has the WebSockets, `startup` the command with many backends.
 */

const IDLE_CLIENTS = 10_000
const BACKENDS = 10_000
/** So many for each change: 100 changes and 10,000 requests a second. */
const REQUESTS_PER_CHANGE = 100
const CHANGES = 1_000
const POOLS = 100
const BACKENDS_OF_POOL = 10
const SECRETS = ['bench-0123456789abcdefghijklmnopqrstuvwxyz']

export async function benchScale(): Promise<Measured[]> {
  return [...(await idleClients()), ...churn(), ...pools()]
}

/** Clients that have had a response, and keep their connection. */
async function idleClients(): Promise<Measured[]> {
  const backends = await Child.start('backend')
  const gateway = await Child.start('gateways/limpet-fastify', backends.urls, ['--expose-gc'])
  const clients = new Clients(gateway.port)
  await clients.ask(300, '/api/items')
  await clients.leave()
  const before = await atRest(gateway, ({ sockets }) => sockets <= 4)
  await clients.ask(IDLE_CLIENTS, '/api/items')
  const held = await atRest(gateway, ({ sockets }) => sockets >= IDLE_CLIENTS)
  await clients.leave()
  await Promise.all([gateway.stop(), backends.stop()])
  return [
    {
      what: `idle client of ${IDLE_CLIENTS}, CPU to connect and to answer once`,
      value: (held.cpuUs - before.cpuUs) / IDLE_CLIENTS,
      most: 1_500,
      unit: 'µs',
    },
    {
      what: 'idle client, heap',
      value: (held.heap - before.heap) / IDLE_CLIENTS / 1024,
      most: 8,
      unit: 'KB',
    },
    { what: 'idle client, RSS', value: (held.rss - before.rss) / IDLE_CLIENTS / 1024, most: 20, unit: 'KB' },
  ]
}

/** A report with no request in flight and as many sockets as that. */
async function atRest(gateway: Child, isThere: (report: Report) => boolean): Promise<Report> {
  const deadline = Date.now() + 60_000
  for (;;) {
    const report = await gateway.report()
    if (report.inFlight === 0 && isThere(report)) return report
    if (Date.now() > deadline) throw new Error(`${report.inFlight} in flight, ${report.sockets} sockets`)
    await sleep(100)
  }
}

function affinityOf(count: number, name = 'default'): Affinity {
  const backends = Array.from({ length: count }, (_, index) => backendOf(index))
  return createAffinity({ name, backends, secrets: SECRETS })
}

function backendOf(index: number): { readonly id: string; readonly url: string } {
  return { id: `w${index}`, url: `http://10.${index >> 16}.${(index >> 8) & 255}.${index & 255}:8080` }
}

const HEAD = requestHead({
  method: 'GET',
  url: '/',
  httpVersion: '1.1',
  headers: { host: 'shop.example.com' },
  rawHeaders: ['Host', 'shop.example.com'],
  socket: {},
})

/** Microseconds of CPU time of each request. */
function requests(affinity: Affinity, count: number): number {
  const before = process.cpuUsage()
  for (let request = 0; request < count; request += 1) {
    const lease = affinity.select(HEAD)
    if (lease instanceof Promise) throw new TypeError('no policy here asks a remote store')
    lease.responded({ statusCode: 200, headers: {} })
    lease.release()
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / count
}

/** A backend leaves, and a new one comes. */
function churn(): Measured[] {
  const affinity = affinityOf(BACKENDS)
  // As the log of the command does.
  const log = (): void => {}
  subscribe('limpet:members-changed', log)
  requests(affinity, 2 * BACKENDS)
  const heapBefore = heap()
  const [changes, after, calm]: [number[], number[], number[]] = [[], [], []]
  for (let change = 0; change < CHANGES; change += 1) {
    calm.push(requests(affinity, REQUESTS_PER_CHANGE))
    const before = process.cpuUsage()
    affinity.pool.remove(`w${change}`)
    affinity.pool.add(backendOf(BACKENDS + change))
    const { user, system } = process.cpuUsage(before)
    changes.push(user + system)
    after.push(requests(affinity, REQUESTS_PER_CHANGE))
  }
  unsubscribe('limpet:members-changed', log)
  return [
    {
      what: `${BACKENDS} backends, a removal and an addition`,
      value: median(changes),
      most: 8_000,
      unit: 'µs',
    },
    {
      what: `${BACKENDS} backends, ${REQUESTS_PER_CHANGE} requests after a change`,
      value: median(after) * REQUESTS_PER_CHANGE,
      most: 10_000,
      unit: 'µs',
    },
    {
      what: `the same without a change`,
      value: median(calm) * REQUESTS_PER_CHANGE,
      most: 2_000,
      unit: 'µs',
    },
    {
      what: `heap after ${CHANGES} changes / before`,
      value: heap() / heapBefore,
      most: 1.1,
    },
  ]
}

function pools(): Measured[] {
  const heapBefore = heap()
  const before = process.cpuUsage()
  const all = Array.from({ length: POOLS }, (_, index) => affinityOf(BACKENDS_OF_POOL, `pool${index}`))
  const { user, system } = process.cpuUsage(before)
  const each = (heap() - heapBefore) / POOLS / 1024
  const [one] = all
  if (one === undefined) throw new Error('no pool')
  return [
    {
      what: `pool of ${BACKENDS_OF_POOL} backends, made`,
      value: (user + system) / POOLS / 1_000,
      most: 5,
      unit: 'ms',
    },
    { what: `pool of ${BACKENDS_OF_POOL} backends, heap`, value: each, most: 200, unit: 'KB' },
  ]
}

function heap(): number {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

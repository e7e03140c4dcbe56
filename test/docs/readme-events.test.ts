import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { readFileSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { type Claim, createAffinity, type Lease } from '@limpet/core'
import { lookupSource, parseDiscovery, startDiscovery } from '@limpet/core/adapter'
import { describe, expect, onTestFinished, test } from 'vitest'
import { codeIn, nameOf, readme, tableOf, wordsOf } from '../support/readme.ts'
import { REQUEST } from '../support/request-head.ts'

const CORE = readme('packages/core')
const FASTIFY = readme('packages/fastify')

test('the table of claims has each kind, and the status that a request gets by it', async () => {
  const kinds = tableOf(CORE, 'claims').map(row => /'(\w+)'/.exec(row[0] ?? '')?.[1] as Claim['kind'])
  const backends = [{ id: 'app1', url: 'http://127.0.0.1:1' }]
  const statuses = kinds.map(async kind => {
    const read = (): Claim => (kind === 'backend' ? { kind, id: 'app1' } : { kind })
    const lease = await createAffinity({ backends, affinity: [{ read }] }).select(REQUEST)
    return lease.status
  })
  expect(await Promise.all(statuses)).toEqual(kinds.map(kind => (kind === 'backend' ? 'matched' : kind)))
  const all = tableOf(CORE, 'statuses').map(row => (nameOf(row) === 'matched' ? 'backend' : nameOf(row)))
  // 'unavailable' is a claim whose backend cannot have the request.
  expect(new Set([...kinds, 'unavailable'])).toEqual(new Set(all))
})

describe('the table of events', () => {
  const rows = tableOf(CORE, 'events')

  test('has the channels that there are', () => {
    const file = new URL('diagnostics.js', import.meta.resolve('@limpet/core'))
    const channels = readFileSync(file, 'utf8').matchAll(/eventChannel\('(limpet:[\w-]+)'\)/g)
    expect(rows.map(nameOf)).toEqual([...channels].map(([, name]) => name))
    expect(tableOf(FASTIFY, 'events')).toEqual(rows)
  })

  test('has the fields that there are', async () => {
    const seen = new Map<string, readonly string[]>()
    for (const channel of rows.map(nameOf)) {
      const note = (message: unknown): void => void seen.set(channel, Object.keys(message as object))
      subscribe(channel, note)
      onTestFinished(() => void unsubscribe(channel, note))
    }
    const broken = {
      name: 'broken',
      read: () => {
        throw new Error('a store that is down')
      },
    }
    const affinity = createAffinity({
      backends: [{ id: 'a', url: 'http://127.0.0.1:1' }],
      affinity: [broken],
    })
    const lease: Lease = await affinity.select(REQUEST)
    lease.failed({ kind: 'unreached', slow: false, cause: undefined })
    lease.next({ kind: 'unreached', slow: false, cause: undefined })
    lease.connected()
    lease.responded({ statusCode: 200, headers: {} })
    lease.release()
    expect(() => createAffinity({ backends: [], affinity: [] }).select(REQUEST)).toThrow(
      'no backend is available',
    )
    await operate()
    expect(rows.map(row => [nameOf(row), codeIn(row[2])])).toEqual(
      [...rows].map(row => [nameOf(row), seen.get(nameOf(row))]),
    )
  })

  test('is followed by the statuses and the kinds of failure that there are', () => {
    expect(tableOf(CORE, 'statuses').map(nameOf)).toEqual(wordsOf('AffinityStatus'))
    expect(codeIn(/`failure\.kind` is (.*?);/.exec(CORE.text)?.[1])).toEqual(wordsOf('FailureKind'))
    expect(codeIn(/^`status` is (.*?);/m.exec(FASTIFY.text)?.[1])).toEqual(wordsOf('AffinityStatus'))
  })
})

/** Uses a pool so that each of its events occurs. */
async function operate(): Promise<void> {
  const affinity = createAffinity({
    backends: [
      { id: 'a', url: 'http://127.0.0.1:1', maxInFlight: 1 },
      { id: 'b', url: 'http://127.0.0.1:2', state: 'maint' },
    ],
    // Each request brings a session of a backend that is in maintenance.
    affinity: [
      {
        read: () => ({ kind: 'backend', id: 'b' }),
        write: ({ session }) => session?.moved('b'),
        sessions: () => 0,
      },
    ],
    whenFull: 'wait',
    retryBudget: { ratio: 0, minPerSecond: 0 },
  })
  const { pool } = affinity
  const lease = await affinity.select(REQUEST)
  const second = affinity.select(REQUEST)
  lease.responded({ statusCode: 200, headers: {} })
  lease.release()
  const held = await second
  pool.setState('b', 'ready')
  held.failed({ kind: 'broken', slow: false, cause: undefined })
  held.next({ kind: 'broken', slow: false, cause: undefined })
  held.release()
  const moving = await affinity.select(REQUEST)
  moving.next({ kind: 'unreached', slow: false, cause: undefined })
  moving.release()
  pool.setHealthy('b', false)
  await pool.drain('a').drained
  pool.remove('a')
  const settings = parseDiscovery('discovery', { dns: 'app.internal:80' })
  if (settings === undefined) return
  const find = async (): Promise<never> => {
    throw new Error('SERVFAIL')
  }
  const source = lookupSource(settings, () => ({ find, close: () => undefined }))
  const discovery = startDiscovery(pool, source)
  // It has been told a moment later.
  await setImmediate()
  discovery.close()
  const recovering = startDiscovery(pool, {
    name: 'catalog',
    subscribe(listener) {
      listener.failed(new Error('a catalog that is down'))
      queueMicrotask(() => listener.backends([]))
      return { close: () => undefined }
    },
  })
  await setImmediate()
  recovering.close()
}

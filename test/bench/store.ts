import {
  type Affinity,
  createAffinity,
  type Lease,
  MemoryStore,
  type RequestHead,
  requestHead,
} from '@limpet/core'
import { LRUCache } from 'lru-cache'
import { HEADERS } from './browser.ts'
import { type Measured, median, medianOf } from './measured.ts'

/*
 * The cost of remembering sessions: time and bytes for each, beside a plain Map and the LRU library that most of
 * the registry uses. Both hold the contents of a store: a backend and the end of the session.
 */

const SESSIONS = 1_000_000
const BATCH = 100_000
const CHUNK = 2_000
const BATCHES = 15
const FLOOD = 3_000_000
const IN_USE = 100_000
const TTL_MS = 3_600_000
/** Number of clients whose requests take turns where a whole request is measured. */
const VISITORS = 1_000

interface Contestant {
  get(key: string): unknown
  set(key: string, backendId: string): void
}

/** As express-session and its like make them, and of no two the same bytes in memory. */
function sessionId(number: number): string {
  return Buffer.from(`s%3A${(number * 2_654_435_761).toString(36).padStart(20, 'x')}.${number}`).toString(
    'latin1',
  )
}

const CONTESTANTS: Readonly<Record<string, (size: number) => Contestant>> = {
  MemoryStore(maxEntries) {
    const store = new MemoryStore({ maxEntries })
    return { get: key => store.get(key), set: (key, id) => store.set(key, id, TTL_MS) }
  },
  Map() {
    const map = new Map<string, { id: string; expiresMs: number }>()
    return {
      get: key => map.get(key),
      set: (key, id) => void map.set(key, { id, expiresMs: Date.now() + TTL_MS }),
    }
  },
  'lru-cache'(max) {
    const lru = new LRUCache<string, { id: string }>({ max, ttl: TTL_MS })
    return { get: key => lru.get(key), set: (key, id) => void lru.set(key, { id }) }
  },
}

/** Bytes in use, once garbage is gone: the heap's, and those of typed arrays, which are not in it. */
function bytes(): number {
  // Some of what the first finds is let go by the second.
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

function nsPerCall(calls: number, run: () => void): number {
  const before = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(before)
  return ((user + system) * 1000) / calls
}

export function benchStore(): Measured[] {
  if (globalThis.gc === undefined) throw new Error('needs --expose-gc')
  return [...speedAndSize(SESSIONS / 10), ...speedAndSize(SESSIONS), ...flood(), ...learnLookup()]
}

function speedAndSize(sessions: number): Measured[] {
  const stores = Object.entries(CONTESTANTS).map(([name, start]) => {
    const before = bytes()
    const store = start(sessions)
    for (let number = 0; number < sessions; number += 1) store.set(sessionId(number), 'w1')
    return {
      name,
      store,
      bytesEach: (bytes() - before) / sessions,
      gets: [] as number[],
      sets: [] as number[],
    }
  })
  // They take turns, so that what disturbs the machine disturbs all.
  for (let batch = 0; batch < BATCHES; batch += 1) {
    for (const { store, gets, sets } of stores) {
      gets.push(nsPerId(sessions, batch, id => store.get(id) !== undefined))
      sets.push(
        nsPerId(sessions, batch, id => {
          store.set(id, 'w1')
          return true
        }),
      )
    }
  }
  for (const { name, bytesEach, gets, sets } of stores) {
    console.log(
      `${name} of ${sessions} sessions  ${bytesEach.toFixed(0)} bytes each  get ${median(gets).toFixed(0)} ns  renewing set ${median(sets).toFixed(0)} ns`,
    )
  }
  const [ours, ...others] = stores
  if (ours === undefined) return []
  return [
    { what: `memory store of ${sessions}, a session`, value: ours.bytesEach, most: 80, unit: 'bytes' },
    ...others.flatMap(({ name, gets, sets }) => [
      medianOf(`memory store of ${sessions}, get / ${name}`, ratios(ours.gets, gets), 1),
      medianOf(`memory store of ${sessions}, renewing set / ${name}`, ratios(ours.sets, sets), 1),
    ]),
  ]
}

function ratios(ours: readonly number[], others: readonly number[]): number[] {
  return ours.map((ns, batch) => ns / (others[batch] ?? Number.NaN))
}

/** Ids arrive as new strings with each request, just read, and not in the order in which they were given out. */
function nsPerId(sessions: number, batch: number, call: (id: string) => boolean): number {
  let ns = 0
  for (let from = 0; from < BATCH; from += CHUNK) {
    const ids = Array.from({ length: CHUNK }, (_, at) => sessionId(((from + at) * 9_973 + batch) % sessions))
    let known = 0
    ns += nsPerCall(CHUNK, () => {
      for (const id of ids) if (call(id)) known += 1
    })
    if (known < CHUNK) throw new Error(`${CHUNK - known} of ${CHUNK} sessions are not there`)
  }
  return ns / (BATCH / CHUNK)
}

/** An attacker makes the application begin sessions without end, while others are in use. */
function flood(): Measured[] {
  const store = new MemoryStore({ maxEntries: SESSIONS })
  for (let number = 0; number < SESSIONS; number += 1) store.set(sessionId(number), 'w1', TTL_MS)
  for (let number = 0; number < IN_USE; number += 1) store.get(sessionId(number))
  const before = bytes()
  for (let number = 0; number < FLOOD; number += 1) store.set(`flood-${sessionId(number)}`, 'w2', TTL_MS)
  const after = bytes()
  let lost = 0
  for (let number = 0; number < IN_USE; number += 1) if (store.get(sessionId(number)) === undefined) lost += 1
  return [
    { what: `memory after ${FLOOD} more sessions / before`, value: after / before, most: 1.01 },
    { what: 'sessions in use that were lost by that', value: lost, most: 0 },
  ]
}

/** A request of a known session that carries three cookies, with the policy and without any. */
function learnLookup(): Measured[] {
  const requests = Array.from({ length: VISITORS }, (_, number) => {
    return requestWith(`theme=dark; JSESSIONID=${sessionId(number)}; cart=3`)
  })
  const affinities = [[{ learn: { cookie: 'JSESSIONID' } }], []].map(affinity =>
    createAffinity({
      backends: ['w0', 'w1', 'w2'].map((id, at) => ({ id, url: `http://10.0.0.${at}:8080` })),
      affinity,
    }),
  )
  for (const [number, request] of requests.entries()) {
    for (const affinity of affinities) {
      ask(affinity, request, { 'set-cookie': [`JSESSIONID=${sessionId(number)}`] })
    }
  }
  const samples = affinities.map((): number[] => [])
  for (let batch = 0; batch <= BATCHES; batch += 1) {
    for (const [index, affinity] of affinities.entries()) {
      const ns = nsPerCall(BATCH, () => {
        for (let count = 0; count < BATCH; count += VISITORS) {
          for (const request of requests) ask(affinity, request, {})
        }
      })
      // The first is for the compiler.
      if (batch > 0) samples[index]?.push(ns / 1000)
    }
  }
  const [learned = [], without = []] = samples
  console.log(
    `select() and answered()  with learn ${median(learned).toFixed(2)} µs  without ${median(without).toFixed(2)} µs`,
  )
  return [
    medianOf('select() and answered() with learn', learned, 3, 'µs'),
    medianOf(`memory store of ${VISITORS}, get`, getsOfFew(), 300, 'ns'),
  ]
}

/** The store's part of it. Of many sessions, most of the time would go by waiting for memory. */
function getsOfFew(): readonly number[] {
  const store = new MemoryStore({ maxEntries: VISITORS })
  for (let number = 0; number < VISITORS; number += 1) store.set(sessionId(number), 'w1', TTL_MS)
  const samples = Array.from({ length: BATCHES + 1 }, (_, batch) =>
    nsPerId(VISITORS, batch, id => store.get(id) !== undefined),
  )
  return samples.slice(1)
}

function requestWith(cookie: string): RequestHead {
  const headers = { host: 'shop.example.com', ...HEADERS, cookie }
  const rawHeaders = Object.entries(headers).flat()
  return requestHead({ method: 'GET', url: '/', httpVersion: '1.1', headers, rawHeaders, socket: {} })
}

function ask(affinity: Affinity, request: RequestHead, headers: Record<string, string[]>): void {
  const lease = affinity.select(request) as Lease
  lease.responded({ statusCode: 200, headers })
  lease.release()
}

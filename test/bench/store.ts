import { createAffinity, type Lease, MemoryStore, requestHead } from '@limpet/core'
import { LRUCache } from 'lru-cache'
import { COOKIES, HEADERS } from './browser.ts'
import { type Measured, median, medianOf } from './measured.ts'

/*
 * What it costs to remember sessions: time and bytes for each, beside a plain Map and the LRU library that most of
 * the registry uses. Both hold what a store has to know: a backend and when the session ends.
 */

const SESSIONS = 1_000_000
const BATCH = 100_000
const CHUNK = 2_000
const BATCHES = 15
const FLOOD = 3_000_000
const IN_USE = 100_000
const TTL_MS = 3_600_000

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
  return [...speedAndSize(SESSIONS / 10), ...speedAndSize(SESSIONS), ...flood(), learnLookup()]
}

function speedAndSize(sessions: number): Measured[] {
  const stores = Object.entries(CONTESTANTS).map(([name, start]) => {
    const before = bytes()
    const store = start(sessions)
    const setNs = nsPerCall(sessions, () => {
      for (let number = 0; number < sessions; number += 1) store.set(sessionId(number), `w${number % 10}`)
    })
    const gets: number[] = []
    return { name, store, bytesEach: (bytes() - before) / sessions, setNs, gets }
  })
  // They take turns, so that what disturbs the machine disturbs all.
  for (let batch = 0; batch < BATCHES; batch += 1) {
    for (const { store, gets } of stores) gets.push(getNs(store, sessions, batch))
  }
  for (const { name, bytesEach, setNs, gets } of stores) {
    console.log(
      `${name} of ${sessions} sessions  ${bytesEach.toFixed(0)} bytes each  get ${median(gets).toFixed(0)} ns  set ${setNs.toFixed(0)} ns, with making the id`,
    )
  }
  const [ours, ...others] = stores
  if (ours === undefined) return []
  return [
    { what: `memory store of ${sessions}, a session`, value: ours.bytesEach, most: 80, unit: 'bytes' },
    // In a million, most of the time goes by waiting for memory.
    ...(sessions < SESSIONS ? [medianOf(`memory store of ${sessions}, get`, ours.gets, 300, 'ns')] : []),
    ...others.map(({ name, gets }) =>
      medianOf(
        `memory store of ${sessions}, get / ${name}`,
        ours.gets.map((ns, batch) => ns / (gets[batch] ?? Number.NaN)),
        1,
      ),
    ),
  ]
}

/** Ids arrive as new strings with each request, just read, and not in the order in which they were given out. */
function getNs(store: Contestant, sessions: number, batch: number): number {
  let ns = 0
  for (let from = 0; from < BATCH; from += CHUNK) {
    const ids = Array.from({ length: CHUNK }, (_, at) => sessionId(((from + at) * 9_973 + batch) % sessions))
    let found = 0
    ns += nsPerCall(CHUNK, () => {
      for (const id of ids) if (store.get(id) !== undefined) found += 1
    })
    if (found < CHUNK) throw new Error(`${CHUNK - found} of ${CHUNK} sessions are not there`)
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

/** All of a request with the policy, as in a gateway: for information, beside the store's own part of it. */
function learnLookup(): Measured {
  const affinity = createAffinity({
    backends: ['w0', 'w1', 'w2'].map((id, at) => ({ id, url: `http://10.0.0.${at}:8080` })),
    affinity: [{ learn: { cookie: 'JSESSIONID' } }],
  })
  function ask(number: number, setCookie?: string): void {
    const headers = {
      host: 'shop.example.com',
      ...HEADERS,
      cookie: `${COOKIES}; JSESSIONID=${sessionId(number)}`,
    }
    const rawHeaders = Object.entries(headers).flat()
    const message = { method: 'GET', url: '/', httpVersion: '1.1', headers, rawHeaders, socket: {} }
    const lease = affinity.select(requestHead(message)) as Lease
    lease.answered({ statusCode: 200, headers: setCookie === undefined ? {} : { 'set-cookie': [setCookie] } })
    lease.release()
  }
  for (let number = 0; number < 1_000; number += 1) ask(number, `JSESSIONID=${sessionId(number)}`)
  const samples = Array.from({ length: BATCHES + 1 }, () =>
    nsPerCall(20_000, () => {
      for (let count = 0; count < 20_000; count += 1) ask(count % 1_000)
    }),
  )
  return medianOf(
    'select() and answered() with learn, and making the request',
    samples.slice(1).map(ns => ns / 1000),
    10,
    'µs',
  )
}

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
const BATCHES = 9
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
  return [...speedAndSize(), ...flood(), learnLookup()]
}

function speedAndSize(): Measured[] {
  const measured: Measured[] = []
  for (const sessions of [SESSIONS / 10, SESSIONS]) {
    for (const [name, start] of Object.entries(CONTESTANTS)) {
      const before = bytes()
      const store = start(sessions)
      const setNs = nsPerCall(sessions, () => {
        for (let number = 0; number < sessions; number += 1) store.set(sessionId(number), `w${number % 10}`)
      })
      const each = (bytes() - before) / sessions
      const samples = Array.from({ length: BATCHES }, (_, batch) => getNs(store, sessions, batch))
      console.log(
        `${name} of ${sessions} sessions  ${each.toFixed(0)} bytes each  get ${median(samples).toFixed(0)} ns  set ${setNs.toFixed(0)} ns, with making the id`,
      )
      if (name !== 'MemoryStore') continue
      if (sessions === SESSIONS)
        measured.push({ what: 'memory store, a session', value: each, most: 80, unit: 'bytes' })
      else measured.push(medianOf('memory store, get', samples, 300, 'ns'))
    }
  }
  return measured
}

/** Ids arrive as new strings with each request, and not in the order in which they were given out. */
function getNs(store: Contestant, sessions: number, batch: number): number {
  const ids = Array.from({ length: BATCH }, (_, at) => sessionId((at * 9_973 + batch) % sessions))
  return nsPerCall(BATCH, () => {
    for (const id of ids) store.get(id)
  })
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

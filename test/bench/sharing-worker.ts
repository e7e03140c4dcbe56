import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises'
import { MemoryStore, type OpenStore } from '@limpet/core'
import type { FromParent } from '../../packages/gateway/dist/sharing/messages.js'
import { WorkerSessions } from '../../packages/gateway/dist/sharing/worker-sessions.js'

/* A worker that shares learned sessions, for the bench. */

export type SharingOrder =
  /** Begins to share. Resolves with the milliseconds that it took to get all sessions. */
  | { readonly order: 'open'; readonly sessions: number }
  /** Learns one session. Resolves with the time of it. */
  | { readonly order: 'set'; readonly backend: string }
  /** Resolves with the time at which the session was known. */
  | { readonly order: 'await'; readonly backend: string }
  /** Nanoseconds of a look-up, less those of the memory store. */
  | { readonly order: 'speed' }
  | { readonly order: 'fill'; readonly sessions: number }
  /** Resolves when so many are known. */
  | { readonly order: 'all'; readonly sessions: number }
  | { readonly order: 'bytes' }

export interface SharingReport {
  readonly report: SharingOrder['order']
  readonly value: number
}

const TTL_MS = 3_600_000
const BATCH = 5_000
const KNOWN = 1_000
const ROUNDS = 100
const ROOM = 10_000
const POLL_MS = 200

let taken = 0
let sent = 0
let store: OpenStore | undefined
const listeners = new Set<() => void>()

const sessions = new WorkerSessions('a secret of the bench', message => {
  if (message.what === 'changes') sent = message.number
  process.send?.(message)
})

process.on('message', (message: FromParent | SharingOrder) => {
  if ('order' in message) {
    void obey(message).then(value => process.send?.({ report: message.order, value } satisfies SharingReport))
    return
  }
  sessions.receive(message)
  if (message.what === 'changes') taken = message.taken
  for (const listener of listeners) listener()
})
process.on('disconnect', () => process.exit())

async function obey(order: SharingOrder): Promise<number> {
  switch (order.order) {
    case 'open':
      return open(order.sessions)
    case 'set':
      table().set(`session-of-${order.backend}`, order.backend, TTL_MS)
      return clock()
    case 'await':
      await until(() => table().count?.(order.backend) === 1)
      return clock()
    case 'speed':
      return speed()
    case 'fill':
      return fill(order.sessions)
    case 'all':
      // The count takes its time.
      while ((table().count?.('w1') ?? 0) < order.sessions) await delay(POLL_MS)
      return 0
    case 'bytes':
      return bytes()
  }
}

async function open(maxEntries: number): Promise<number> {
  const startedMs = performance.now()
  store = sessions
    // Some of the room is for the sessions of the other measurements.
    .storeOf(maxEntries + ROOM)
    .open({ pool: 'web', field: 'header/X-Session', names: [], ttlMs: TTL_MS, now: Date.now })
  await sessions.loaded
  return performance.now() - startedMs
}

async function fill(count: number): Promise<number> {
  for (let number = 0; number < count; number += 1) {
    table().set(sessionId(number), 'w1', TTL_MS)
    if (number % BATCH !== BATCH - 1) continue
    await turn()
    await until(() => taken === sent)
  }
  return 0
}

function speed(): number {
  const memory = new MemoryStore()
  const ids = Array.from({ length: KNOWN }, (_, number) => sessionId(number))
  const stores = [table(), memory]
  for (const id of ids) for (const one of stores) one.set(id, 'w2', TTL_MS)
  const [shared = 0, local = 0] = stores.map(one => {
    const before = process.cpuUsage()
    for (let round = 0; round < ROUNDS; round += 1) for (const id of ids) void one.get(id)
    const { user, system } = process.cpuUsage(before)
    return ((user + system) * 1_000) / (ROUNDS * KNOWN)
  })
  return shared - local
}

async function until(holds: () => boolean): Promise<void> {
  if (holds()) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const check = (): void => {
    if (holds()) resolve()
  }
  listeners.add(check)
  await promise
  listeners.delete(check)
}

function bytes(): number {
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** Milliseconds since the epoch, with a fraction, the same in all processes of this machine. */
function clock(): number {
  return performance.timeOrigin + performance.now()
}

function table(): OpenStore {
  if (store === undefined) throw new Error('it shares nothing yet')
  return store
}

function sessionId(number: number): string {
  return Buffer.from(`s%3A${(number * 2_654_435_761).toString(36).padStart(20, 'x')}.${number}`).toString(
    'latin1',
  )
}

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { type Affinity, createAffinity, type OpenStore } from '@limpet/core'
import { type RedisStateEvent, type RedisStore, redisStore, type RedisStoreOptions } from '@limpet/redis'
import { expect, onTestFinished, vi } from 'vitest'
import type { AdminClient } from './redis-server.ts'

export const SECRETS = ['new', 'old', 'other'].map(
  word => `${word}-redis-0123456789abcdefghijklmnopqrstuvwxyz`,
)
export const TTL_MS = 60_000

export interface TableFacts {
  readonly secrets?: readonly string[]
  readonly pool?: string
  readonly backends?: readonly string[]
  readonly now?: () => number
}

export interface Table {
  readonly store: RedisStore
  readonly table: OpenStore
  readonly affinity: Affinity
  set(id: string, backend: string): void
  get(id: string): Promise<string | null | undefined>
}

/**
 * A gateway's learned table: its store, opened by the learn policy of a pool. It has more time than by default, for a
 * test machine may be busy.
 */
export function openTable(options: RedisStoreOptions, facts: TableFacts = {}): Table {
  const store = redisStore({ deadline: '5s', ...options })
  onTestFinished(async () => store.close())
  return openStore(store, facts)
}

export function openStore(store: RedisStore, facts: TableFacts = {}): Table {
  const { secrets = [SECRETS[0] ?? ''], pool = 'shop', backends = ['a', 'b', 'c'], now } = facts
  let opened: OpenStore | undefined
  const affinity = createAffinity({
    name: pool,
    secrets,
    backends: backends.map((id, at) => ({ id, url: `http://127.0.0.1:${at + 1}` })),
    affinity: [
      { learn: { cookie: 'sid', ttl: TTL_MS, store: { open: context => (opened = store.open(context)) } } },
    ],
    ...(now !== undefined && { now }),
  })
  const table = opened
  if (table === undefined) throw new Error('it was not opened')
  return {
    store,
    table,
    affinity,
    set: (id, backend) => void table.set(id, backend, TTL_MS),
    get: async id => table.get(id),
  }
}

/** The states of connections, as they change, until the test ends. */
export function noteStates(): RedisStateEvent[] {
  const states: RedisStateEvent[] = []
  note('limpet:redis-state', event => states.push(event as RedisStateEvent))
  return states
}

/** The reasons why Redis refused or was lost, each once. Slowness of a busy machine is not among them. */
export function reasonsOf(states: readonly RedisStateEvent[]): readonly string[] {
  const reasons = states.map(({ reason = '' }) => reason.replace(/ .*/, ''))
  return [...new Set(reasons)].filter(reason => reason !== '' && reason !== 'no')
}

export function note(channel: string, listener: (event: unknown) => void): void {
  subscribe(channel, listener)
  onTestFinished(() => void unsubscribe(channel, listener))
}

/** Its connection is there: it asks. */
export async function ready({ table }: Table): Promise<void> {
  await expect.poll(() => table.get('ready') instanceof Promise, { timeout: 10_000 }).toBe(true)
}

/** The key of the only learned session in Redis, once it is there. */
export async function onlyKey(admin: AdminClient): Promise<string> {
  return vi.waitFor(
    async () => {
      const [key, ...others] = await admin.keys('*:l:*')
      if (key === undefined || others.length > 0) throw new Error(`${others.length} others`)
      return key
    },
    { timeout: 10_000 },
  )
}

import { createHmac, type KeyObject } from 'node:crypto'
import type { AffinityStore } from './store.ts'

export interface KeyedStoreOptions {
  /** Newest first: entries are written under the first, and found under any. */
  readonly keys: readonly KeyObject[]
  /** How long a look-up may take. */
  readonly timeoutMs: number
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** Whose renewal is remembered, so that not every answer costs a call. */
const MOST_RENEWED = 10_000

/**
 * A store that somebody else keeps: it gets keyed hashes instead of session ids, for whoever reads an id there could
 * take the session over. A look-up that takes too long fails, and what was written a moment ago is not written again.
 */
export function keyedStore(store: AffinityStore, { keys, timeoutMs, now }: KeyedStoreOptions): AffinityStore {
  const [newest] = keys
  const renewed = new Map<string, { readonly backendId: string; readonly atMs: number }>()
  async function find(key: string): Promise<string | undefined> {
    for (const by of keys) {
      const id = await store.get(hashed(key, by))
      if (typeof id === 'string') return id
    }
    return undefined
  }

  return {
    get: key => inTime(find(key), timeoutMs),
    async set(key, backendId, ttlMs) {
      const last = renewed.get(key)
      const atMs = now()
      if (newest === undefined || (last?.backendId === backendId && atMs - last.atMs < ttlMs / 10)) return
      await store.set(hashed(key, newest), backendId, ttlMs)
      if (renewed.size >= MOST_RENEWED) renewed.clear()
      renewed.set(key, { backendId, atMs })
    },
    async delete(key) {
      renewed.delete(key)
      await Promise.all(keys.map(async by => store.delete(hashed(key, by))))
    },
  }
}

function hashed(key: string, by: KeyObject): string {
  return createHmac('sha256', by).update(key).digest('base64url')
}

async function inTime<T>(result: Promise<T>, ms: number): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`the store did not answer within ${ms} ms`)), ms)
  try {
    return await Promise.race([result, late])
  } finally {
    clearTimeout(timer)
  }
}

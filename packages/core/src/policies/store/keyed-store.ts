import { createHmac, type KeyObject } from 'node:crypto'
import { MemoryStore } from './memory-store.ts'
import type { AffinityStore, OpenStore } from './store.ts'

export interface KeyedStoreOptions {
  /** Newest first: entries are written under the first, and found under any. */
  readonly keys: readonly KeyObject[]
  /** How long a look-up may take. */
  readonly timeoutMs: number
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

type Found = string | undefined | Promise<string | undefined>

/**
 * Wraps a user's store: it gets keyed hashes instead of session ids, because a reader of ids could take sessions
 * over. A lookup that takes too long fails, and an entry that was written in the last tenth of its time is
 * not written again.
 */
export function keyedStore(store: AffinityStore, { keys, timeoutMs, now }: KeyedStoreOptions): OpenStore {
  const [newest] = keys
  // It keeps no ids: each would keep the Cookie header alive that it was cut from.
  const written = new MemoryStore({ now })

  function find(sessionId: string, index = 0): Found {
    const by = keys[index]
    if (by === undefined) return undefined
    const orByNext = (value: unknown): Found =>
      typeof value === 'string' ? value : find(sessionId, index + 1)
    const value: unknown = store.get(hashed(sessionId, by))
    return isPromiseLike(value) ? Promise.resolve(value).then(orByNext) : orByNext(value)
  }

  /** Another gateway may have moved the session since we wrote, and the store may have lost it: then it is news again. */
  function seen(sessionId: string, backendId: string | undefined): string | undefined {
    if (written.get(sessionId) !== backendId) written.delete(sessionId)
    return backendId
  }

  function get(sessionId: string): Found {
    const found = find(sessionId)
    if (!(found instanceof Promise)) return seen(sessionId, found)
    return inTime(
      found.then(id => seen(sessionId, id)),
      timeoutMs,
    )
  }

  async function set(sessionId: string, backendId: string, ttlMs: number): Promise<void> {
    if (newest === undefined || written.get(sessionId) === backendId) return
    // Before it is: requests that are answered in the meantime need not say it again.
    written.set(sessionId, backendId, ttlMs / 10)
    try {
      await store.set(hashed(sessionId, newest), backendId, ttlMs)
    } catch (error) {
      written.delete(sessionId)
      throw error
    }
  }

  return {
    get,
    set,
    async renew(sessionId, backendId, ttlMs) {
      if (written.get(sessionId) === backendId) return
      // The store has no write with a condition, so a move in this moment is still undone.
      const found = await get(sessionId)
      if (found === undefined || found === backendId) await set(sessionId, backendId, ttlMs)
    },
    async delete(sessionId) {
      written.delete(sessionId)
      await Promise.all(keys.map(async by => store.delete(hashed(sessionId, by))))
    },
  }
}

function hashed(sessionId: string, by: KeyObject): string {
  return createHmac('sha256', by).update(sessionId).digest('base64url')
}

/** Clients of databases have promises of their own make. */
function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

async function inTime<T>(result: Promise<T>, ms: number): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`the store did not respond within ${ms} ms`)), ms)
  try {
    return await Promise.race([result, late])
  } finally {
    clearTimeout(timer)
  }
}

import type { Backend } from '../backend.ts'
import * as diagnostics from '../diagnostics.ts'
import type { Pool } from '../pool.ts'
import { type DiscoveredBackend, optionsById } from './discovered-backend.ts'
import type { DiscoverySettings } from './discovery-options.ts'
import type { Lookup } from './lookup.ts'

export interface Discovery {
  /** Nothing is looked up from here on. What was found stays. */
  close(): void
}

/** Between two look-ups, whatever the answer's time to live; and after the first that failed. */
const LEAST_DELAY_MS = 1_000

/** What was added of a backend, and is therefore ours to change. */
interface Owned {
  readonly backend: Backend
  readonly weight: number
  readonly backup: boolean
}

/**
 * Keeps in `pool` the backends that a name stands for, beside those that are configured (HAProxy `resolvers`, nginx
 * `resolve`). Only what has changed is changed: who stays keeps its health and counts, and what an operator gave it.
 * A look-up that fails changes nothing, and neither does an answer without a record.
 */
export function startDiscovery(pool: Pool, settings: DiscoverySettings, lookup: Lookup): Discovery {
  const owned = new Map<string, Owned>()
  let failures = 0
  let timer: NodeJS.Timeout | undefined
  let isClosed = false

  async function look(): Promise<void> {
    let delayMs: number
    try {
      const { backends, ttlMs } = await lookup.find()
      if (isClosed) return
      apply(backends)
      failures = 0
      delayMs = Math.max(LEAST_DELAY_MS, ttlMs)
    } catch (error) {
      if (isClosed) return
      if (diagnostics.discoveryFailed.hasSubscribers)
        diagnostics.discoveryFailed.publish({ pool: pool.name, name: settings.name, error })
      delayMs = LEAST_DELAY_MS * 2 ** Math.min(failures, 16)
      failures += 1
    }
    timer = setTimeout(() => void look(), Math.min(delayMs, settings.refreshMs)).unref()
  }

  function apply(backends: readonly DiscoveredBackend[]): void {
    const found = optionsById(settings.protocol, backends)
    for (const [id, { backend }] of owned) {
      const options = found.get(id)
      const isSame = options !== undefined && new URL(options.url).href === backend.url.href
      if (isSame && pool.find(id)?.backend === backend) continue
      owned.delete(id)
      // An operator may have put another in its place.
      if (pool.find(id)?.backend === backend) pool.remove(id)
    }
    for (const options of found.values()) {
      const { id, weight, backup } = options
      const known = owned.get(id)
      if (known !== undefined) {
        if (known.weight !== weight) pool.setWeight(id, weight)
        if (known.backup !== backup) pool.setBackup(id, backup)
        owned.set(id, { ...known, weight, backup })
      } else if (pool.find(id) === undefined) {
        owned.set(id, { backend: pool.add(options).backend, weight, backup })
      }
    }
  }

  void look()
  return {
    close() {
      isClosed = true
      clearTimeout(timer)
      lookup.close()
    },
  }
}

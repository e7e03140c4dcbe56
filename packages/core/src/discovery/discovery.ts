import type { Backend, BackendOptions } from '../backend.ts'
import * as diagnostics from '../diagnostics.ts'
import type { BackendView } from '../backend-view.ts'
import type { Discovered, Pool } from '../pool.ts'
import { type DiscoveredBackend, type DiscoveredOptions, optionsById } from './discovered-backend.ts'
import type { DiscoverySettings } from './discovery-options.ts'
import type { Lookup } from './lookup.ts'

export interface Discovery {
  /** Nothing is looked up from here on. What was found stays. */
  close(): void
}

/** Between two look-ups, whatever the answer's time to live; and after the first that failed. */
const LEAST_DELAY_MS = 1_000

/**
 * Keeps in `pool` the backends that a name stands for, beside those that are configured (HAProxy `resolvers`, nginx
 * `resolve`). Only what has changed is changed: who stays keeps its health and counts, and what an operator gave it.
 * A look-up that fails changes nothing, and neither does an answer without a record.
 */
export function startDiscovery(pool: Pool, settings: DiscoverySettings, lookup: Lookup): Discovery {
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
    // Whoever was told of it may have closed this.
    if (isClosed) return
    timer = setTimeout(() => void look(), Math.min(delayMs, settings.refreshMs)).unref()
  }

  /** In one change: those who wait, and sessions that come back, are not to find only the first of them. */
  function apply(backends: readonly DiscoveredBackend[]): void {
    const found = optionsById(settings.protocol, backends)
    const next = new Map<string, BackendOptions>()
    for (const view of pool.backends) {
      const { id } = view.backend
      const told = found.get(id)
      const known = pool.discovered.get(view.backend)
      if (known === undefined) {
        // It is configured, or an operator has put it there.
        found.delete(id)
        next.set(id, view.options)
      } else if (told !== undefined) {
        next.set(id, follow(view, known, told))
      }
    }
    for (const [id, told] of found) if (!next.has(id)) next.set(id, told)
    const members = [...next.values()]
    const isNews = members.length !== pool.backends.length || members.some(options => !isMember(options))
    if (isNews) pool.replace(members)
    const discovered = new Map<Backend, Discovered>()
    for (const [id, { weight, backup }] of found) {
      const backend = pool.find(id)?.backend
      if (backend !== undefined) discovered.set(backend, { weight, backup })
    }
    pool.discovered = discovered
  }

  function isMember({ id, url, weight, backup }: BackendOptions): boolean {
    const view = pool.find(id)
    return view !== undefined && isAt(view, url) && view.weight === weight && view.backup === backup
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

function isAt({ backend }: BackendView, url: string | URL): boolean {
  return backend.url.href === new URL(url).href
}

/** `view` as it is told now. What an operator gave it stays until DNS says something else than before. */
function follow(view: BackendView, known: Discovered, told: DiscoveredOptions): BackendOptions {
  if (!isAt(view, told.url)) return told
  return {
    ...view.options,
    weight: told.weight === known.weight ? view.weight : told.weight,
    backup: told.backup === known.backup ? view.backup : told.backup,
  }
}

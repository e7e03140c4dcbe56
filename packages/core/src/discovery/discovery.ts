import type { AdminState, BackendOptions } from '../pool/backend.ts'
import * as diagnostics from '../diagnostics.ts'
import type { BackendView } from '../pool/backend-view.ts'
import type { Pool } from '../pool/pool.ts'
import type { Discovered } from '../pool/discovered.ts'
import type { DiscoveredBackend, Discovery, DiscoverySource } from './discovery-source.ts'

/**
 * Keeps the backends that `source` reports in `pool`, beside the configured ones. Only the differences are applied: a
 * backend that stays keeps its health, its counts and an operator's settings. The id of a configured backend is never
 * reused.
 */
export function startDiscovery(pool: Pool, source: DiscoverySource): Discovery {
  let isClosed = false
  let isFirst = true
  let isFailing = false
  /** Failures that belong to the list which the source reports in the same turn of the event loop. */
  let isPartial = false

  function failed(error: unknown): void {
    isFailing = true
    isPartial = true
    queueMicrotask(() => {
      isPartial = false
    })
    if (!isClosed && diagnostics.discoveryFailed.hasSubscribers)
      diagnostics.discoveryFailed.publish({ pool: pool.name, name: source.name, error })
  }

  function recovered(): void {
    isFailing = false
    if (diagnostics.discoveryRecovered.hasSubscribers)
      diagnostics.discoveryRecovered.publish({ pool: pool.name, name: source.name })
  }

  /** In one change: waiting requests, and sessions that come back, must not find only the first of several backends. */
  function apply(all: readonly DiscoveredBackend[]): void {
    const reported = new Map(all.map(backend => [backend.id, backend]))
    const members: BackendOptions[] = []
    const discovered = new Map<string, Discovered>()
    const drains: DiscoveredBackend[] = []
    let isNews = false
    for (const view of pool.backends) {
      const { id } = view.backend
      const known = view.discovered
      const found = reported.get(id)
      reported.delete(id)
      if (known === undefined) {
        // It is configured, or an operator has added it.
        members.push(view.options)
      } else if (found === undefined) {
        isNews = true
      } else if (!isAt(view, found.url)) {
        // Another server. It is new, in the place of the old one.
        isNews = true
        add(found)
      } else {
        const now = discoveredOf(found)
        const state = followedState(view, known, now)
        if (state === 'drain' && (view.state !== state || (isFirst && known.state === state)))
          drains.push(found)
        members.push(
          isSame(known, now) ? view.options : { ...view.options, ...follow(view, known, now), state },
        )
        discovered.set(id, now)
        isNews ||= !isSame(known, now)
      }
    }
    for (const found of reported.values()) {
      isNews = true
      add(found)
    }
    if (isNews) pool.replace(members, discovered)
    isFirst = false
    for (const { id, drainDeadlineMs } of drains) {
      if (drainDeadlineMs !== undefined) pool.drain(id, { deadline: drainDeadlineMs })
    }

    function add(found: DiscoveredBackend): void {
      const { healthy: _healthy, ...options } = discoveredOf(found)
      members.push({ id: found.id, url: found.url, ...options })
      discovered.set(found.id, discoveredOf(found))
      if (found.state === 'drain') drains.push(found)
    }
  }

  const subscription = source.subscribe({
    backends(all) {
      if (isClosed) return
      try {
        apply(all)
        if (isFailing && !isPartial) recovered()
      } catch (error) {
        // One that no pool takes: nothing has changed.
        failed(error)
      }
    },
    failed,
  })
  return {
    close() {
      isClosed = true
      subscription.close()
    },
  }
}

function discoveredOf({
  weight = 1,
  backup = false,
  state = 'ready',
  healthy = true,
}: DiscoveredBackend): Discovered {
  return { weight, backup, state, healthy }
}

function isSame(one: Discovered, other: Discovered): boolean {
  return (
    one.weight === other.weight &&
    one.backup === other.backup &&
    one.state === other.state &&
    one.healthy === other.healthy
  )
}

function isAt({ backend }: BackendView, url: string | URL): boolean {
  const { href } = backend.url
  // Most stay, and to parse a URL is most of the work.
  return url === href || `${String(url)}/` === href || new URL(url).href === href
}

/** An operator's settings stay until the source reports a different value than before. */
function follow(
  view: BackendView,
  known: Discovered,
  now: Discovered,
): Pick<BackendOptions, 'weight' | 'backup'> {
  return {
    weight: now.weight === known.weight ? view.weight : now.weight,
    backup: now.backup === known.backup ? view.backup : now.backup,
  }
}

/** A state that an operator commanded stays, whatever the source says. A drain of the source's has ended in `maint`. */
function followedState({ state }: BackendView, known: Discovered, now: Discovered): AdminState {
  if (now.state === known.state) return state
  const isOwn = state === known.state || (known.state === 'drain' && state === 'maint')
  return isOwn ? now.state : state
}

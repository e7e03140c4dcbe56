import type { AffinityOptions, Pool } from '@limpet/core'
import type { PoolConfig } from '../config/config.ts'

/** Applies a reload to a pool that serves requests. */

/** Moves the state of a pool to `pool`, which has the new `config` and serves no request yet. */
export function takeOver(pool: Pool, config: PoolConfig, before: { pool: Pool; config: PoolConfig }): void {
  const { discovery, health } = config.options
  pool.takeOver(before.pool)
  changeBackends(pool, before.config, config)
  // Backends of a new name arrive with the first lookup; until then the old ones serve.
  if (discovery === undefined)
    pool.replace(pool.backends.flatMap(view => (view.discovered === undefined ? [view.options] : [])))
  if (health !== undefined) return
  for (const { backend, checked } of pool.backends) {
    if (checked === false) pool.setHealthy(backend.id, true, 'it is not checked any more')
    pool.setSelfDraining(backend.id, false)
  }
}

/**
 * Applies only the differences between the files. An operator's commands stay, and so do discovered
 * backends. All of it is one change of the pool, in the file's order.
 */
export function changeBackends(pool: Pool, was: PoolConfig, is: PoolConfig): void {
  const before = byId(was)
  const after = byId(is)
  if (isSame([...before], [...after])) return
  const next: Backend[] = []
  for (const [id, backend] of after) {
    const old = before.get(id)
    const now = pool.find(id)?.options
    if (old === undefined || String(old.url) !== String(backend.url)) next.push(backend)
    // A backend removed by an operator stays removed unless its configuration changed.
    else if (now === undefined) next.push(...(isSame(old, backend) ? [] : [backend]))
    else next.push(changed(now, old, backend))
  }
  const others = pool.backends.filter(({ backend: { id } }) => !before.has(id) && !after.has(id))
  pool.replace([...next, ...others.map(({ options }) => options)])
}

type Backend = NonNullable<AffinityOptions['backends']>[number]

/** The options of a backend that a reload may change. With another url it is another backend. */
const OPTIONS = ['weight', 'state', 'backup', 'maxInFlight', 'aliases'] as const

/** The current options of a backend, with the file's changes applied. */
function changed(now: Backend, was: Backend, is: Backend): Backend {
  const keys = OPTIONS.filter(key => !isSame(was[key], is[key]))
  const kept = Object.entries(now).filter(([key]) => !keys.some(one => one === key))
  const news = Object.entries(is).filter(([key]) => keys.some(one => one === key))
  return Object.fromEntries([...kept, ...news]) as object as Backend
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

function byId({ options: { backends = [] } }: PoolConfig): Map<string, Backend> {
  return new Map(backends.map(backend => [backend.id, backend]))
}

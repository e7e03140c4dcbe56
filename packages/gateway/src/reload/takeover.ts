import type { AffinityOptions, Pool } from '@limpet/core'
import type { PoolConfig } from '../config/config.ts'

/** What a reload makes of a pool that is being served. */

/** `pool`, which is `config` and serves nobody yet, goes on where another configuration of it stands. */
export function takeOver(pool: Pool, config: PoolConfig, before: { pool: Pool; config: PoolConfig }): void {
  const { discovery, health } = config.options
  pool.takeOver(before.pool)
  changeBackends(pool, before.config, config)
  // Another name that is looked up gets its backends with the first answer; until then, those that are there serve.
  if (discovery === undefined)
    pool.replace(pool.backends.flatMap(view => (view.discovered === undefined ? [view.options] : [])))
  if (health !== undefined) return
  for (const { backend, checked } of pool.backends)
    if (checked === false) pool.setHealthy(backend.id, true, 'it is not checked any more')
}

/**
 * Only what the file has changed is changed: what an operator has commanded meanwhile stays, and so do discovered
 * backends. All of it is one change, and the order is the file's.
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
    // Whom an operator has removed stays away, unless the file has something new to say of him.
    else if (now === undefined) next.push(...(isSame(old, backend) ? [] : [backend]))
    else next.push(changed(now, old, backend))
  }
  const others = pool.backends.filter(({ backend: { id } }) => !before.has(id) && !after.has(id))
  pool.replace([...next, ...others.map(({ options }) => options)])
}

type Backend = NonNullable<AffinityOptions['backends']>[number]

/** A backend as it is now, with what the file has changed of it. */
function changed(now: Backend, was: Backend, is: Backend): Backend {
  const keys = (['weight', 'state', 'backup', 'maxInFlight'] as const).filter(key => was[key] !== is[key])
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

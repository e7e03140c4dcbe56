import type { AffinityOptions, Pool } from '@limpet/core'
import type { PoolConfig } from './config.ts'

/** What a reload makes of a pool that is being served. */

type Backends = NonNullable<AffinityOptions['backends']>

/** `pool`, which is `config` and serves nobody yet, goes on where another configuration of it stands. */
export function takeOver(pool: Pool, config: PoolConfig, before: { pool: Pool; config: PoolConfig }): void {
  const { discovery, health } = config.options
  pool.takeOver(before.pool)
  changeBackends(pool, before.config, config)
  // Another name that is looked up gets its backends with the first answer; until then, those that are there serve.
  if (discovery === undefined) for (const { id } of pool.discovered.keys()) pool.remove(id)
  if (health !== undefined) return
  for (const { backend, checked } of pool.backends)
    if (checked === false) pool.setHealthy(backend.id, true, 'it is not checked any more')
}

/**
 * Only what the file has changed is changed: what an operator has commanded meanwhile stays, and so do discovered
 * backends.
 */
export function changeBackends(pool: Pool, was: PoolConfig, is: PoolConfig): void {
  const before = byId(was)
  const after = byId(is)
  for (const [id, { url }] of before) {
    const kept = after.get(id)
    if (kept === undefined || String(kept.url) !== String(url)) pool.remove(id)
  }
  for (const [id, backend] of after) {
    if (isSame(before.get(id), backend)) continue
    if (pool.find(id) === undefined) pool.add(backend)
    else changeBackend(pool, before.get(id), backend)
  }
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

function changeBackend(pool: Pool, was: Backends[number] | undefined, is: Backends[number]): void {
  const { id, weight = 1, state = 'ready', backup = false, maxInFlight } = is
  if (was === undefined || (was.weight ?? 1) !== weight) pool.setWeight(id, weight)
  if (was === undefined || (was.state ?? 'ready') !== state) pool.setState(id, state)
  if (was === undefined || (was.backup ?? false) !== backup) pool.setBackup(id, backup)
  if (was === undefined || was.maxInFlight !== maxInFlight) pool.setMaxInFlight(id, maxInFlight)
}

function byId({ options: { backends = [] } }: PoolConfig): Map<string, Backends[number]> {
  return new Map(backends.map(backend => [backend.id, backend]))
}

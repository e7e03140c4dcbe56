import type { PoolFigures } from '@limpet/core'
import { type AnyFamily, labelsOf } from './family.ts'
import { backendFamilies, frontendFamilies } from './haproxy-proxies.ts'
import { serverFamilies } from './haproxy-servers.ts'

/**
 * The same figures under the names of HAProxy's exporter (promex), for dashboards and alerts that know those. A pool is
 * a `proxy` with a frontend and a backend, a backend is a `server`.
 */
export function haproxyFamilies(pools: readonly PoolFigures[]): AnyFamily[] {
  const proxies = pools.map(pool => [labelsOf({ proxy: pool.pool }), pool] as const)
  const servers = pools.flatMap(pool =>
    pool.backends.map(backend => [labelsOf({ proxy: pool.pool, server: backend.id }), backend] as const),
  )
  return [...frontendFamilies(proxies), ...backendFamilies(proxies), ...serverFamilies(servers)]
}

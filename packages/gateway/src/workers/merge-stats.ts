import type { BackendRow, PoolRow } from '../admin/pool-stats.ts'

/** A backend as several processes know it: counts add up, and it is healthy where all say so. */
export function sumOfRows(rows: readonly BackendRow[]): BackendRow | undefined {
  const [first] = rows
  if (first === undefined) return undefined
  const sum = (read: (row: BackendRow) => number): number => rows.reduce((total, row) => total + read(row), 0)
  const isKnown = rows.every(({ sessions }) => sessions !== undefined)
  return {
    ...first,
    healthy: rows.every(({ healthy }) => healthy),
    inFlight: sum(row => row.inFlight),
    requests: sum(row => row.requests),
    failures: sum(row => row.failures),
    sessions: isKnown ? sum(row => row.sessions ?? 0) : undefined,
    newSessions: sum(row => row.newSessions),
    redispatchedFrom: sum(row => row.redispatchedFrom),
    redispatchedTo: sum(row => row.redispatchedTo),
  }
}

/** The pools of several processes, by name. */
export function sumOfPools(
  all: readonly Readonly<Record<string, PoolRow>>[],
): Readonly<Record<string, PoolRow>> {
  const [first = {}] = all
  return Object.fromEntries(
    Object.entries(first).map(([name, pool]) => {
      const rows = all.flatMap(pools => pools[name] ?? [])
      const backends = pool.backends.flatMap(({ id }) => {
        const same = rows.flatMap(row => row.backends.filter(backend => backend.id === id))
        return sumOfRows(same) ?? []
      })
      const affinity = Object.fromEntries(
        Object.keys(pool.affinity).map(status => [
          status,
          rows.reduce((total, row) => total + row.affinity[status as keyof PoolRow['affinity']], 0),
        ]),
      ) as PoolRow['affinity']
      const inFlight = rows.reduce((total, row) => total + row.inFlight, 0)
      const queued = rows.reduce((total, row) => total + row.queued, 0)
      return [name, { backends, affinity, inFlight, queued }]
    }),
  )
}

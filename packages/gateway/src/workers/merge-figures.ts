import type { BackendFigures, DrainFigures, EndedDrain, HistogramFigures, PoolFigures } from '@limpet/core'
import type { FleetDrain } from '@limpet/redis'

/** The processes are told of a drain one after the other. */
const SAME_DRAIN_MS = 1_000

/** A backend in figures, and its drain in all gateways that share operators' commands. */
export type FleetBackend = BackendFigures & { readonly fleet?: FleetDrain }

/** The pools of a gateway in figures, by name. */
export type Pools = Readonly<
  Record<string, Omit<PoolFigures, 'backends'> & { readonly backends: readonly FleetBackend[] }>
>

/**
 * A backend as several processes know it: counts add up, and it is healthy where all say so. A session whose key was
 * written by one process and renewed by another is counted in both, so their sum is an estimate.
 * @param isShared whether each process counts the sessions of all
 */
export function mergeBackends(all: readonly FleetBackend[], isShared: boolean): FleetBackend | undefined {
  const [first] = all
  if (first === undefined || all.length === 1) return first
  const sum = (read: (one: BackendFigures) => number): number => total(all.map(read))
  const last = all
    .flatMap(({ checks }) => checks.last ?? [])
    .reduce<BackendFigures['checks']['last']>(
      (latest, one) => (latest === undefined || one.atMs > latest.atMs ? one : latest),
      undefined,
    )
  const sessions = mergeSessions(
    all.map(one => one.sessions),
    isShared,
  )
  const fleet = mergeFleets(all.flatMap(one => one.fleet ?? []))
  return {
    ...first,
    ...(fleet !== undefined && { fleet }),
    healthy: all.every(({ healthy }) => healthy),
    selfDraining: all.some(({ selfDraining }) => selfDraining),
    effectiveWeight: sum(one => one.effectiveWeight) / all.length,
    inFlight: sum(one => one.inFlight),
    tunnels: sum(one => one.tunnels),
    queued: sum(one => one.queued),
    requests: sum(one => one.requests),
    responses: sums(all.map(one => one.responses)),
    responseTimes: mergeHistograms(all.map(one => one.responseTimes)),
    failures: sum(one => one.failures),
    failuresByKind: sums(all.map(one => one.failuresByKind)),
    redispatchedFrom: sum(one => one.redispatchedFrom),
    redispatchedTo: sum(one => one.redispatchedTo),
    sessions,
    sessionsEstimated: sessions !== undefined,
    sessionsStarted: sum(one => one.sessionsStarted),
    sessionsMoved: sums(all.map(one => one.sessionsMoved)),
    connections: sum(one => one.connections),
    bytesIn: sum(one => one.bytesIn),
    bytesOut: sum(one => one.bytesOut),
    checks: {
      passed: sum(one => one.checks.passed),
      failed: sum(one => one.checks.failed),
      last,
    },
    turnedDown: Math.max(...all.map(one => one.turnedDown)),
    turnedUp: Math.max(...all.map(one => one.turnedUp)),
    downMs: Math.max(...all.map(one => one.downMs)),
    changedAtMs: Math.max(...all.map(one => one.changedAtMs)),
    drain: mergeDrains(
      all.flatMap(({ drain }) => drain ?? []),
      isShared,
    ),
    lastDrain: mergeEndedDrains(
      all.flatMap(({ lastDrain }) => lastDrain ?? []),
      isShared,
    ),
  }
}

/** Each process has the sums of the whole fleet, and its view of the others is a second old at most. */
function mergeFleets(all: readonly FleetDrain[]): FleetDrain | undefined {
  if (all.length === 0) return undefined
  const most = (read: (one: FleetDrain) => number): number => Math.max(...all.map(read))
  return {
    processes: most(one => one.processes),
    inFlight: most(one => one.inFlight),
    tunnels: most(one => one.tunnels),
    sessions: all.some(one => one.sessions === undefined) ? undefined : most(one => one.sessions ?? 0),
  }
}

/** It is over when it is over in all processes. */
function mergeDrains(all: readonly DrainFigures[], isShared: boolean): DrainFigures | undefined {
  const [first] = all
  return (
    first && {
      startedAtMs: Math.min(...all.map(one => one.startedAtMs)),
      deadlineAtMs: Math.max(...all.map(one => one.deadlineAtMs)),
      spreadMs: first.spreadMs,
      startedSessions: mergeSessions(
        all.map(one => one.startedSessions),
        isShared,
      ),
    }
  )
}

/** The worst outcome counts. Ends of earlier drains, as a worker may have that was started since, are left out. */
function mergeEndedDrains(all: readonly EndedDrain[], isShared: boolean): EndedDrain | undefined {
  const startedAtMs = Math.max(...all.map(one => one.startedAtMs))
  const last = all.filter(one => startedAtMs - one.startedAtMs < SAME_DRAIN_MS)
  const [first] = last
  if (first === undefined) return undefined
  return {
    startedAtMs: Math.min(...last.map(one => one.startedAtMs)),
    endedAtMs: Math.max(...last.map(one => one.endedAtMs)),
    outcome:
      (['cancelled', 'deadline'] as const).find(word => last.some(one => one.outcome === word)) ?? 'drained',
    inFlight: total(last.map(one => one.inFlight)),
    sessions: mergeSessions(
      last.map(one => one.sessions),
      isShared,
    ),
    sessionsEstimated: last.some(one => one.sessionsEstimated),
  }
}

/** Undefined where one process does not count them. @param isShared whether each process counts the sessions of all */
function mergeSessions(all: readonly (number | undefined)[], isShared: boolean): number | undefined {
  const counts = all.flatMap(count => count ?? [])
  if (counts.length < all.length) return undefined
  return isShared ? Math.max(...counts) : total(counts)
}

/**
 * The pools of several processes, by name. The members are those of the first: all have the same.
 * @param shared the pools of which each process counts the sessions of all
 */
export function mergePools(all: readonly Pools[], shared: ReadonlySet<string>): Pools {
  const [first = {}] = all
  return Object.fromEntries(
    Object.entries(first).map(([name, pool]) => [
      name,
      mergePool(
        pool,
        all.flatMap(pools => pools[name] ?? []),
        shared.has(name),
      ),
    ]),
  )
}

function mergePool(first: Pools[string], all: readonly Pools[string][], isShared: boolean): Pools[string] {
  const sum = (read: (one: PoolFigures) => number): number => total(all.map(read))
  // A lookup in each list for each member would take a second for a thousand of them.
  const byId = Map.groupBy(
    all.flatMap(({ backends }) => backends),
    ({ id }) => id,
  )
  return {
    ...first,
    sinceMs: Math.min(...all.map(one => one.sinceMs)),
    candidates: Math.min(...all.map(one => one.candidates)),
    backends: first.backends.flatMap(({ id }) => mergeBackends(byId.get(id) ?? [], isShared) ?? []),
    affinity: sums(all.map(one => one.affinity)),
    inFlight: sum(one => one.inFlight),
    requests: sum(one => one.requests),
    queued: sum(one => one.queued),
    queueTimes: mergeHistograms(all.map(one => one.queueTimes)),
    durations: mergeHistograms(all.map(one => one.durations)),
    refused: sums(all.map(one => one.refused)),
    retryBudget: sums(all.map(one => one.retryBudget)),
    sessionsOfRemoved: sum(one => one.sessionsOfRemoved),
  }
}

function mergeHistograms(all: readonly HistogramFigures[]): HistogramFigures {
  const [first] = all
  return {
    count: total(all.map(({ count }) => count)),
    sumMs: total(all.map(({ sumMs }) => sumMs)),
    buckets: (first?.buckets ?? []).map((_, index) => total(all.map(({ buckets }) => buckets[index] ?? 0))),
  }
}

/** Each of them may have keys that the others lack. */
function sums<T extends Readonly<Record<string, number>>>(all: readonly T[]): T {
  const sum: Record<string, number> = {}
  for (const one of all) {
    for (const [key, count] of Object.entries(one)) sum[key] = (sum[key] ?? 0) + count
  }
  return sum as T
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0)
}

import type { BackendFigures, HistogramFigures, PoolFigures } from '@limpet/core'
import { type AnyFamily, counter, gauge, labelsOf, type Sample, withLabel } from './family.ts'

/** A pool and its backends, with their labels. */
interface Labelled {
  readonly pool: PoolFigures
  readonly labels: string
  readonly backends: readonly (readonly [labels: string, backend: BackendFigures])[]
}

/** The metrics under limpet's own names. One word of a label is never more than configuration and discovery know. */
export function limpetFamilies(
  pools: readonly PoolFigures[],
  build: Readonly<Record<string, string>>,
): AnyFamily[] {
  const all = pools.map((pool): Labelled => ({
    pool,
    labels: labelsOf({ pool: pool.pool }),
    backends: pool.backends.map(backend => [labelsOf({ pool: pool.pool, backend: backend.id }), backend]),
  }))
  return [
    gauge('limpet_build_info', 'The version of limpet and of Node; always 1.', [[labelsOf(build), 1]]),
    ...requestFamilies(all),
    ...sessionFamilies(all),
    ...stateFamilies(all),
  ]
}

function requestFamilies(all: readonly Labelled[]): AnyFamily[] {
  return [
    counter(
      'limpet_requests',
      'Responses of backends, by the class of their status.',
      eachBackend(all, backend => backend.responses, 'code'),
    ),
    histogram(
      'limpet_request_duration_seconds',
      'Time from the arrival of a request to the end of its response; without WebSockets.',
      all.map(({ labels, pool }) => [labels, pool.durations] as const),
    ),
    histogram(
      'limpet_backend_response_duration_seconds',
      'Time from the choice of a backend to the head of its response.',
      all.flatMap(({ backends }) =>
        backends.map(([labels, { responseTimes }]) => [labels, responseTimes] as const),
      ),
    ),
    gauge(
      'limpet_requests_in_flight',
      'Requests that a backend has now, with WebSockets.',
      ofBackend(all, one => one.inFlight),
    ),
    gauge(
      'limpet_tunnels_open',
      'WebSockets that are open.',
      ofBackend(all, one => one.tunnels),
    ),
    gauge(
      'limpet_connections_open',
      'Connections to a backend.',
      ofBackend(all, one => one.connections),
    ),
    counter(
      'limpet_redispatches',
      'Requests that left a backend for another after a failure.',
      ofBackend(all, one => one.redispatchedFrom),
    ),
    counter(
      'limpet_backend_failures',
      'Requests to which a backend did not respond, or not to the end.',
      eachBackend(all, backend => backend.failuresByKind, 'kind'),
    ),
    counter(
      'limpet_retry_budget_exhausted',
      'Requests that were not sent again, because the retry budget was used up.',
      ofPool(all, pool => pool.retryBudget.denied),
    ),
    gauge(
      'limpet_retry_budget_left',
      'Requests that may be sent again now.',
      ofPool(all, pool => pool.retryBudget.left),
    ),
    counter(
      'limpet_requests_refused',
      'Requests that no backend was chosen for, by the code of their error.',
      eachPool(all, pool => pool.refused, 'code'),
    ),
    gauge(
      'limpet_requests_queued',
      'Requests that wait for a backend.',
      ofPool(all, pool => pool.queued),
    ),
    histogram(
      'limpet_queue_duration_seconds',
      'Time in the queue, of requests that got a backend after it.',
      all.map(({ labels, pool }) => [labels, pool.queueTimes] as const),
    ),
    counter(
      'limpet_received_bytes',
      'Bytes that came from a backend.',
      ofBackend(all, one => one.bytesOut),
    ),
    counter(
      'limpet_sent_bytes',
      'Bytes that were sent to a backend.',
      ofBackend(all, one => one.bytesIn),
    ),
  ]
}

function sessionFamilies(all: readonly Labelled[]): AnyFamily[] {
  return [
    counter(
      'limpet_affinity',
      'Responses, by the affinity status of their requests.',
      eachPool(all, pool => pool.affinity, 'status'),
    ),
    gauge(
      'limpet_sessions',
      'Live sessions of a backend; absent where they are not counted.',
      ofBackend(all, one => one.sessions),
    ),
    gauge(
      'limpet_sessions_estimated',
      'Whether limpet_sessions is an estimate.',
      ofBackend(all, one => (one.sessions === undefined ? undefined : Number(one.sessionsEstimated))),
    ),
    counter(
      'limpet_sessions_started',
      'Sessions that were given a key of a backend, and had none.',
      ofBackend(all, one => one.sessionsStarted),
    ),
    counter(
      'limpet_sessions_moved',
      'Sessions that left a backend; without the label backend, one that has left the pool.',
      movedSamples(all),
    ),
  ]
}

function stateFamilies(all: readonly Labelled[]): AnyFamily[] {
  return [
    gauge(
      'limpet_candidates',
      'Backends of a pool that may take a new session.',
      ofPool(all, pool => pool.candidates),
    ),
    gauge(
      'limpet_backend_up',
      'Whether a backend is healthy, as far as is known.',
      ofBackend(all, one => Number(one.healthy)),
    ),
    gauge(
      'limpet_backend_state',
      'The state that was commanded: 1 for the one that a backend is in.',
      eachBackend(
        all,
        ({ state }) => ({
          ready: Number(state === 'ready'),
          drain: Number(state === 'drain'),
          maint: Number(state === 'maint'),
        }),
        'state',
      ),
    ),
    gauge(
      'limpet_backend_weight',
      'The weight that balancers use, with slow start.',
      ofBackend(all, one => one.effectiveWeight),
    ),
    counter(
      'limpet_health_checks',
      'Health checks, by their result.',
      eachBackend(all, ({ checks: { passed, failed } }) => ({ passed, failed }), 'result'),
    ),
    gauge(
      'limpet_health_check_duration_seconds',
      'Duration of the last health check.',
      ofBackend(all, ({ checks: { last } }) => (last === undefined ? undefined : last.durationMs / 1000)),
    ),
    counter(
      'limpet_backend_changes',
      'How often a backend was found down, and up again.',
      eachBackend(all, ({ turnedDown: down, turnedUp: up }) => ({ down, up }), 'to'),
    ),
    gauge(
      'limpet_backend_changed_timestamp_seconds',
      'The last change of state or health.',
      ofBackend(all, one => one.changedAtMs / 1000),
    ),
    gauge(
      'limpet_drain_seconds_left',
      'Time to the deadline of a drain; absent without one.',
      drainSamples(all, ({ drain }, atMs) => Math.max(0, (drain?.deadlineAtMs ?? 0) - atMs) / 1000),
    ),
    gauge(
      'limpet_drain_sessions_left',
      'Live sessions of a backend that drains; absent where they are not counted.',
      drainSamples(all, ({ sessions }) => sessions),
    ),
  ]
}

function histogram(
  name: string,
  help: string,
  histograms: Iterable<readonly [labels: string, figures: HistogramFigures]>,
): AnyFamily {
  return { name, type: 'histogram', help, histograms }
}

/** Made one by one, when their text is written: all at once would hold up requests. */
function* ofBackend(
  all: readonly Labelled[],
  read: (backend: BackendFigures) => number | undefined,
): Generator<Sample> {
  for (const { backends } of all) {
    for (const [labels, backend] of backends) {
      const value = read(backend)
      if (value !== undefined) yield [labels, value]
    }
  }
}

function* eachBackend(
  all: readonly Labelled[],
  read: (backend: BackendFigures) => Readonly<Record<string, number>>,
  label: string,
): Generator<Sample> {
  for (const { backends } of all) {
    for (const [labels, backend] of backends) {
      for (const [word, value] of Object.entries(read(backend))) yield [withLabel(labels, label, word), value]
    }
  }
}

function* ofPool(all: readonly Labelled[], read: (pool: PoolFigures) => number): Generator<Sample> {
  for (const { labels, pool } of all) yield [labels, read(pool)]
}

function* eachPool(
  all: readonly Labelled[],
  read: (pool: PoolFigures) => Readonly<Record<string, number>>,
  label: string,
): Generator<Sample> {
  for (const { labels, pool } of all) {
    for (const [word, value] of Object.entries(read(pool))) yield [withLabel(labels, label, word), value]
  }
}

function* movedSamples(all: readonly Labelled[]): Generator<Sample> {
  yield* eachBackend(all, backend => backend.sessionsMoved, 'reason')
  for (const { labels, pool } of all) yield [withLabel(labels, 'reason', 'removed'), pool.sessionsOfRemoved]
}

function* drainSamples(
  all: readonly Labelled[],
  read: (backend: BackendFigures, atMs: number) => number | undefined,
): Generator<Sample> {
  for (const { pool, backends } of all) {
    for (const [labels, backend] of backends) {
      const value = backend.drain === undefined ? undefined : read(backend, pool.atMs)
      if (value !== undefined) yield [labels, value]
    }
  }
}

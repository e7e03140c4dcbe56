import type { BackendFigures, HistogramFigures, PoolFigures } from '@limpet/core'
import { type AnyFamily, labelsOf, type Sample, withLabel } from './family.ts'

type Labelled<T> = readonly (readonly [labels: string, figures: T])[]

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

function frontendFamilies(proxies: Labelled<PoolFigures>): AnyFamily[] {
  return [
    gauge(
      'haproxy_frontend_current_sessions',
      'Requests in flight, and those that wait.',
      each(proxies, pool => pool.inFlight + pool.queued),
    ),
    counter(
      'haproxy_frontend_http_requests',
      'Requests that have ended.',
      each(proxies, pool => pool.durations.count),
    ),
    counter(
      'haproxy_frontend_request_errors',
      'Requests that no backend was chosen for.',
      each(proxies, pool => sum(Object.values(pool.refused))),
    ),
    counter(
      'haproxy_frontend_bytes_in',
      'Bytes of requests.',
      each(proxies, pool => ofAll(pool, one => one.bytesIn)),
    ),
    counter(
      'haproxy_frontend_bytes_out',
      'Bytes of responses.',
      each(proxies, pool => ofAll(pool, one => one.bytesOut)),
    ),
    counter('haproxy_frontend_http_responses', 'Responses by class.', poolResponses(proxies)),
  ]
}

function backendFamilies(proxies: Labelled<PoolFigures>): AnyFamily[] {
  return [
    gauge(
      'haproxy_backend_status',
      'Whether a server is there: 1 for the state that it is in.',
      poolStatus(proxies),
    ),
    gauge('haproxy_backend_agg_server_status', 'Servers by state.', aggregated(proxies)),
    gauge(
      'haproxy_backend_active_servers',
      'Primaries that serve.',
      each(proxies, pool => serving(pool).filter(one => !one.backup).length),
    ),
    gauge(
      'haproxy_backend_backup_servers',
      'Backups that serve.',
      each(proxies, pool => serving(pool).filter(one => one.backup).length),
    ),
    gauge(
      'haproxy_backend_current_sessions',
      'Requests in flight.',
      each(proxies, pool => pool.inFlight),
    ),
    gauge(
      'haproxy_backend_current_queue',
      'Requests that wait.',
      each(proxies, pool => pool.queued),
    ),
    gauge(
      'haproxy_backend_weight',
      'The weight of the servers that serve.',
      each(proxies, pool => sum(serving(pool).map(one => one.effectiveWeight))),
    ),
    counter(
      'haproxy_backend_sessions',
      'Requests that were given a server.',
      each(proxies, pool => pool.requests),
    ),
    counter(
      'haproxy_backend_http_requests',
      'Requests that were given a server.',
      each(proxies, pool => pool.requests),
    ),
    counter(
      'haproxy_backend_loadbalanced',
      'Sessions that were placed.',
      each(proxies, pool => ofAll(pool, one => one.sessionsStarted)),
    ),
    counter(
      'haproxy_backend_bytes_in',
      'Bytes of requests.',
      each(proxies, pool => ofAll(pool, one => one.bytesIn)),
    ),
    counter(
      'haproxy_backend_bytes_out',
      'Bytes of responses.',
      each(proxies, pool => ofAll(pool, one => one.bytesOut)),
    ),
    counter(
      'haproxy_backend_connection_errors',
      'Failed connections.',
      each(proxies, pool => ofAll(pool, one => one.failuresByKind.unreached)),
    ),
    counter(
      'haproxy_backend_response_errors',
      'Failed responses.',
      each(proxies, pool => ofAll(pool, responseErrors)),
    ),
    counter(
      'haproxy_backend_redispatch_warnings',
      'Requests that moved to another server.',
      each(proxies, pool => ofAll(pool, one => one.redispatchedFrom)),
    ),
    counter('haproxy_backend_http_responses', 'Responses by class.', poolResponses(proxies)),
    gauge(
      'haproxy_backend_queue_time_average_seconds',
      'Mean time in the queue.',
      each(proxies, pool => mean(pool.queueTimes)),
    ),
    gauge(
      'haproxy_backend_total_time_average_seconds',
      'Mean time of a request.',
      each(proxies, pool => mean(pool.durations)),
    ),
  ]
}

function serverFamilies(servers: Labelled<BackendFigures>): AnyFamily[] {
  return [
    gauge(
      'haproxy_server_status',
      'The state of a server: 1 for the one that it is in.',
      serverStatus(servers),
    ),
    gauge(
      'haproxy_server_current_sessions',
      'Requests in flight.',
      each(servers, one => one.inFlight),
    ),
    gauge(
      'haproxy_server_limit_sessions',
      'Requests that it may have at one time.',
      each(servers, one => one.maxInFlight || undefined),
    ),
    gauge(
      'haproxy_server_current_queue',
      'Requests that wait for it.',
      each(servers, one => one.queued),
    ),
    gauge(
      'haproxy_server_weight',
      'Its weight, with slow start.',
      each(servers, one => one.effectiveWeight),
    ),
    gauge(
      'haproxy_server_uweight',
      'Its weight as it was set.',
      each(servers, one => one.weight),
    ),
    gauge(
      'haproxy_server_used_connections_current',
      'Open connections.',
      each(servers, one => one.connections),
    ),
    counter(
      'haproxy_server_sessions',
      'Requests that it was given.',
      each(servers, one => one.requests),
    ),
    counter(
      'haproxy_server_loadbalanced',
      'Sessions that were placed there.',
      each(servers, one => one.sessionsStarted),
    ),
    counter(
      'haproxy_server_bytes_in',
      'Bytes of requests.',
      each(servers, one => one.bytesIn),
    ),
    counter(
      'haproxy_server_bytes_out',
      'Bytes of responses.',
      each(servers, one => one.bytesOut),
    ),
    counter(
      'haproxy_server_connection_errors',
      'Failed connections.',
      each(servers, one => one.failuresByKind.unreached),
    ),
    counter('haproxy_server_response_errors', 'Failed responses.', each(servers, responseErrors)),
    counter(
      'haproxy_server_redispatch_warnings',
      'Requests that moved to another server.',
      each(servers, one => one.redispatchedFrom),
    ),
    counter(
      'haproxy_server_check_failures',
      'Failed health checks.',
      each(servers, one => one.checks.failed),
    ),
    counter(
      'haproxy_server_check_up_down',
      'Changes to down.',
      each(servers, one => one.turnedDown),
    ),
    counter(
      'haproxy_server_downtime_seconds',
      'Time for which it was down.',
      each(servers, one => one.downMs / 1000),
    ),
    gauge(
      'haproxy_server_check_duration_seconds',
      'Duration of the last health check.',
      each(servers, ({ checks: { last } }) => (last === undefined ? undefined : last.durationMs / 1000)),
    ),
    counter('haproxy_server_http_responses', 'Responses by class.', serverResponses(servers)),
    gauge(
      'haproxy_server_response_time_average_seconds',
      'Mean time to the head of a response.',
      each(servers, one => mean(one.responseTimes)),
    ),
  ]
}

function counter(name: string, help: string, samples: Iterable<Sample>): AnyFamily {
  return { name, type: 'counter', help, samples }
}

function gauge(name: string, help: string, samples: Iterable<Sample>): AnyFamily {
  return { name, type: 'gauge', help, samples }
}

function* each<T>(all: Labelled<T>, read: (figures: T) => number | undefined): Generator<Sample> {
  for (const [labels, figures] of all) {
    const value = read(figures)
    if (value !== undefined) yield [labels, value]
  }
}

function* serverResponses(servers: Labelled<BackendFigures>): Generator<Sample> {
  for (const [labels, { responses }] of servers) {
    for (const [code, count] of Object.entries(responses)) yield [withLabel(labels, 'code', code), count]
  }
}

function* poolResponses(proxies: Labelled<PoolFigures>): Generator<Sample> {
  for (const [labels, pool] of proxies) {
    for (const code of ['1xx', '2xx', '3xx', '4xx', '5xx'] as const)
      yield [withLabel(labels, 'code', code), ofAll(pool, one => one.responses[code])]
  }
}

const SERVER_STATES = ['UP', 'DOWN', 'MAINT', 'DRAIN', 'NOLB'] as const

function stateOf({ state, healthy, selfDraining }: BackendFigures): (typeof SERVER_STATES)[number] {
  if (state === 'maint') return 'MAINT'
  if (!healthy) return 'DOWN'
  if (state === 'drain') return 'DRAIN'
  return selfDraining ? 'NOLB' : 'UP'
}

function* serverStatus(servers: Labelled<BackendFigures>): Generator<Sample> {
  for (const [labels, backend] of servers) {
    const now = stateOf(backend)
    for (const state of SERVER_STATES) yield [withLabel(labels, 'state', state), Number(state === now)]
  }
}

function* aggregated(proxies: Labelled<PoolFigures>): Generator<Sample> {
  for (const [labels, { backends }] of proxies) {
    const states = backends.map(stateOf)
    for (const state of SERVER_STATES)
      yield [withLabel(labels, 'state', state), states.filter(one => one === state).length]
  }
}

function* poolStatus(proxies: Labelled<PoolFigures>): Generator<Sample> {
  for (const [labels, pool] of proxies) {
    const isUp = serving(pool).length > 0
    yield [withLabel(labels, 'state', 'UP'), Number(isUp)]
    yield [withLabel(labels, 'state', 'DOWN'), Number(!isUp)]
  }
}

function serving({ backends }: PoolFigures): readonly BackendFigures[] {
  return backends.filter(({ healthy, state }) => healthy && state !== 'maint')
}

function responseErrors({ failures, failuresByKind }: BackendFigures): number {
  return failures - failuresByKind.unreached
}

function ofAll({ backends }: PoolFigures, read: (backend: BackendFigures) => number): number {
  return sum(backends.map(read))
}

function mean({ count, sumMs }: HistogramFigures): number | undefined {
  return count === 0 ? undefined : sumMs / count / 1000
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((before, number) => before + number, 0)
}

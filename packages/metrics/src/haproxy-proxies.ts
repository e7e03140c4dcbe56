import type { BackendFigures, PoolFigures } from '@limpet/core'
import { type AnyFamily, counter, gauge, type Sample, withLabel } from './family.ts'
import { each, type Labelled, mean, responseErrors, SERVER_STATES, stateOf } from './haproxy-samples.ts'

/** The families of pools as frontends: the side of the clients. */
export function frontendFamilies(proxies: Labelled<PoolFigures>): AnyFamily[] {
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

/** The families of pools as backends: the side of the servers. */
export function backendFamilies(proxies: Labelled<PoolFigures>): AnyFamily[] {
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

function* poolResponses(proxies: Labelled<PoolFigures>): Generator<Sample> {
  for (const [labels, pool] of proxies) {
    for (const code of ['1xx', '2xx', '3xx', '4xx', '5xx'] as const)
      yield [withLabel(labels, 'code', code), ofAll(pool, one => one.responses[code])]
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

function ofAll({ backends }: PoolFigures, read: (backend: BackendFigures) => number): number {
  return sum(backends.map(read))
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((before, number) => before + number, 0)
}

import type { BackendFigures } from '@limpet/core'
import { type AnyFamily, counter, gauge, type Sample, withLabel } from './family.ts'
import { each, type Labelled, mean, responseErrors, SERVER_STATES, stateOf } from './haproxy-samples.ts'

/** The families of backends, each a `server`. */
export function serverFamilies(servers: Labelled<BackendFigures>): AnyFamily[] {
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

function* serverResponses(servers: Labelled<BackendFigures>): Generator<Sample> {
  for (const [labels, { responses }] of servers) {
    for (const [code, count] of Object.entries(responses)) yield [withLabel(labels, 'code', code), count]
  }
}

function* serverStatus(servers: Labelled<BackendFigures>): Generator<Sample> {
  for (const [labels, backend] of servers) {
    const now = stateOf(backend)
    for (const state of SERVER_STATES) yield [withLabel(labels, 'state', state), Number(state === now)]
  }
}

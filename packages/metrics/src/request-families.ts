import { type AnyFamily, counter, gauge, histogram } from './family.ts'
import { eachBackend, eachPool, type LabelledPool, ofBackend, ofPool } from './labelled-pool.ts'

/** Requests: their responses, times, failures and queues, and the connections and bytes. */
export function requestFamilies(all: readonly LabelledPool[]): AnyFamily[] {
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

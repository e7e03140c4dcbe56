import type { Attributes, Histogram, Meter } from '@opentelemetry/api'
import { type Failure, onEvent, type RequestEvent } from '@limpet/core'
import { BackendAddresses } from './backend-addresses.ts'
import { HTTP_BOUNDS_S } from './family-text.ts'
import type { MetricsSource } from './metrics.ts'

type NodeRequest = NonNullable<RequestEvent['request']>

/** One request, from its first event to the end of its client's side. Times are of `performance.now()`. */
interface Timed {
  startedMs: number
  /** The beginning of the attempt that is under way; undefined: no backend has the request. */
  attemptMs: number | undefined
  /** The status of the backend's response. */
  status: number | undefined
  /** The status of a refusal of ours. */
  refused: number | undefined
  failure: Failure | undefined
  isOver: boolean
}

/** Known methods (RFC 9110 §9, RFC 5789); a client could make series without end of others. */
const METHODS = new Set([
  'CONNECT',
  'DELETE',
  'GET',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'POST',
  'PUT',
  'QUERY',
  'TRACE',
])

/**
 * Records `http.server.request.duration` and `http.client.request.duration` by the semantic conventions of OpenTelemetry
 * (HTTP metrics, stable), in seconds. A request that fails over has one client duration for each attempt. A WebSocket
 * counts to the response to its handshake.
 *
 * For a process without OpenTelemetry's instrumentations of node:http and undici: they record the same.
 * @param meter as of `metrics.getMeter('limpet')` of `@opentelemetry/api`
 * @returns the function that ends it
 */
export function observeHttp(sources: MetricsSource | readonly MetricsSource[], meter: Meter): () => void {
  const durations = new HttpDurations('stats' in sources ? [sources] : sources, meter)
  const ends = [
    onEvent('limpet:queued', event => durations.begun(event)),
    onEvent('limpet:selected', event => durations.attempted(event)),
    onEvent('limpet:failed', event => durations.failed(event, event.failure)),
    onEvent('limpet:redispatched', event => durations.movedFrom(event, event.from)),
    onEvent('limpet:responded', event => durations.responded(event, event.statusCode)),
    onEvent('limpet:refused', event => durations.refused(event, event.statusCode)),
    onEvent('limpet:released', event => durations.released(event)),
    onEvent('limpet:members-changed', ({ pool }) => durations.membersChanged(pool)),
  ]
  return () => {
    for (const end of ends) end()
  }
}

interface BackendEvent extends RequestEvent {
  readonly backend: string
}

class HttpDurations {
  readonly #addresses: BackendAddresses
  readonly #server: Histogram
  readonly #client: Histogram
  readonly #requests = new WeakMap<NodeRequest, Timed>()

  constructor(sources: readonly MetricsSource[], meter: Meter) {
    this.#addresses = new BackendAddresses(sources)
    const options = { unit: 's', advice: { explicitBucketBoundaries: [...HTTP_BOUNDS_S] } }
    this.#server = meter.createHistogram('http.server.request.duration', {
      ...options,
      description: 'Duration of HTTP server requests.',
    })
    this.#client = meter.createHistogram('http.client.request.duration', {
      ...options,
      description: 'Duration of HTTP client requests.',
    })
  }

  membersChanged(pool: string): void {
    this.#addresses.changed(pool)
  }

  begun({ pool, request }: RequestEvent): Timed | undefined {
    if (request === undefined || !this.#addresses.hasPool(pool)) return undefined
    const known = this.#requests.get(request)
    if (known !== undefined) return known
    const timed = {
      startedMs: performance.now(),
      attemptMs: undefined,
      status: undefined,
      refused: undefined,
      failure: undefined,
      isOver: false,
    }
    this.#requests.set(request, timed)
    return timed
  }

  attempted(event: RequestEvent): void {
    const timed = this.begun(event)
    if (timed !== undefined) timed.attemptMs = performance.now()
  }

  failed({ request }: RequestEvent, failure: Failure): void {
    const timed = this.#of(request)
    if (timed !== undefined) timed.failure = failure
  }

  /** The attempt at `from` is over, and that at the event's backend begins. */
  movedFrom(event: BackendEvent, from: string): void {
    const { request } = event
    const timed = this.#of(request)
    if (request === undefined || timed === undefined) return
    this.#recordAttempt(request, timed, { pool: event.pool, backend: from })
    timed.failure = undefined
    timed.attemptMs = performance.now()
  }

  responded(event: BackendEvent, statusCode: number): void {
    const timed = this.#of(event.request)
    if (timed === undefined) return
    timed.status = statusCode
    // A status that was to be retried, and is passed on.
    timed.failure = undefined
    // A tunnel lasts for hours, which says nothing of the server.
    if (statusCode === 101) this.released(event)
  }

  refused(event: RequestEvent, statusCode: number): void {
    const { request, pool } = event
    const timed = this.begun(event)
    if (request === undefined || timed === undefined || timed.isOver) return
    timed.refused = statusCode
    // With a backend it ends when that is released.
    if (timed.attemptMs === undefined) this.#recordServer(request, timed, pool)
  }

  released({ request, pool, backend }: BackendEvent): void {
    const timed = this.#of(request)
    if (request === undefined || timed === undefined) return
    this.#recordAttempt(request, timed, { pool, backend })
    timed.refused ??= refusalOf(timed)
    this.#recordServer(request, timed, pool)
  }

  #of(request: NodeRequest | undefined): Timed | undefined {
    const timed = request && this.#requests.get(request)
    return timed?.isOver === true ? undefined : timed
  }

  #recordAttempt(
    request: NodeRequest,
    { attemptMs, status, failure }: Timed,
    { pool, backend }: { readonly pool: string; readonly backend: string },
  ): void {
    if (attemptMs === undefined) return
    const errorType =
      failure?.kind ?? (status === undefined ? CLIENT_LEFT : status >= 400 ? String(status) : undefined)
    this.#client.record((performance.now() - attemptMs) / 1000, {
      'http.request.method': methodOf(request),
      ...this.#addresses.attributesOf(pool, backend),
      ...(status !== undefined && { 'http.response.status_code': status }),
      ...(errorType !== undefined && { 'error.type': errorType }),
      // HTTP/2 ends at the gateway.
      'network.protocol.version': '1.1',
    })
  }

  #recordServer(request: NodeRequest, timed: Timed, pool: string): void {
    const { startedMs, failure } = timed
    timed.isOver = true
    const status = timed.status ?? timed.refused
    const attributes: Attributes = {
      'http.request.method': methodOf(request),
      'url.scheme': request.socket.encrypted === undefined ? 'http' : 'https',
      'network.protocol.version': request.httpVersion === '2.0' ? '2' : request.httpVersion,
      'limpet.pool': pool,
    }
    const cut = timed.status === undefined ? undefined : failure?.kind
    const errorType = cut ?? (status === undefined ? CLIENT_LEFT : status >= 500 ? String(status) : undefined)
    if (status !== undefined) attributes['http.response.status_code'] = status
    if (errorType !== undefined) attributes['error.type'] = errorType
    this.#server.record((performance.now() - startedMs) / 1000, attributes)
  }
}

const CLIENT_LEFT = 'client_left'

/** The status of limpet's response after the last failure; undefined: there was a response, or the client has left. */
function refusalOf({ status, failure }: Timed): number | undefined {
  if (status !== undefined || failure === undefined) return undefined
  if (failure.kind === 'local') return 503
  return failure.slow ? 504 : 502
}

function methodOf({ method = '' }: NodeRequest): string {
  return METHODS.has(method) ? method : '_OTHER'
}

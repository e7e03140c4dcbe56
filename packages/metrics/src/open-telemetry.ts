import type { Attributes, BatchObservableResult, Meter, Observable } from '@opentelemetry/api'
import type { BackendFigures, PoolFigures } from '@limpet/core'
import type { MetricsSource } from './metrics.ts'

/** How a figure of each backend is observed, with one attribute for its parts where it has several. */
interface Instrument {
  readonly name: string
  readonly kind: 'counter' | 'upDownCounter' | 'gauge'
  readonly unit: string
  readonly description: string
  readonly read: (backend: BackendFigures) => number | undefined | Readonly<Record<string, number>>
  /** The attribute that names a part. */
  readonly part?: string
}

const INSTRUMENTS: readonly Instrument[] = [
  {
    name: 'limpet.responses',
    kind: 'counter',
    unit: '{response}',
    description: 'Responses of backends, by the class of their status.',
    read: backend => backend.responses,
    part: 'limpet.response.class',
  },
  {
    name: 'limpet.active_requests',
    kind: 'upDownCounter',
    unit: '{request}',
    description: 'Requests that a backend has now, with WebSockets.',
    read: backend => backend.inFlight,
  },
  {
    name: 'limpet.active_tunnels',
    kind: 'upDownCounter',
    unit: '{tunnel}',
    description: 'WebSockets that are open.',
    read: backend => backend.tunnels,
  },
  {
    name: 'limpet.backend.failures',
    kind: 'counter',
    unit: '{request}',
    description: 'Requests to which a backend did not respond, or not to the end.',
    read: backend => backend.failuresByKind,
    part: 'error.type',
  },
  {
    name: 'limpet.redispatches',
    kind: 'counter',
    unit: '{request}',
    description: 'Requests that left a backend for another after a failure.',
    read: backend => backend.redispatchedFrom,
  },
  {
    name: 'limpet.sessions',
    kind: 'upDownCounter',
    unit: '{session}',
    description: 'Live sessions of a backend, where they are counted.',
    read: backend => backend.sessions,
  },
  {
    name: 'limpet.sessions.started',
    kind: 'counter',
    unit: '{session}',
    description: 'Sessions that were given a key of a backend, and had none.',
    read: backend => backend.sessionsStarted,
  },
  {
    name: 'limpet.sessions.moved',
    kind: 'counter',
    unit: '{session}',
    description: 'Sessions that left a backend for another.',
    read: backend => backend.sessionsMoved,
    part: 'limpet.reason',
  },
  {
    name: 'limpet.backend.healthy',
    kind: 'gauge',
    unit: '1',
    description: 'Whether a backend is healthy, as far as is known.',
    read: backend => Number(backend.healthy),
  },
  {
    name: 'limpet.backend.weight',
    kind: 'gauge',
    unit: '1',
    description: 'The weight that balancers use, with slow start.',
    read: backend => backend.effectiveWeight,
  },
  {
    name: 'limpet.received',
    kind: 'counter',
    unit: 'By',
    description: 'Bytes that came from a backend.',
    read: backend => backend.bytesOut,
  },
  {
    name: 'limpet.sent',
    kind: 'counter',
    unit: 'By',
    description: 'Bytes that were sent to a backend.',
    read: backend => backend.bytesIn,
  },
]

/**
 * Observes the figures of some pools with instruments of OpenTelemetry. Nothing is counted a second time: the meter's
 * reader asks for the figures when it collects.
 * @param meter as of `metrics.getMeter('limpet')` of `@opentelemetry/api`
 * @returns the function that ends it
 */
export function observe(sources: MetricsSource | readonly MetricsSource[], meter: Meter): () => void {
  const all = 'stats' in sources ? [sources] : sources
  const observables = INSTRUMENTS.map(instrument => observableOf(meter, instrument))
  const queued = meter.createObservableUpDownCounter('limpet.queued_requests', {
    unit: '{request}',
    description: 'Requests that wait for a backend.',
  })
  function collect(result: BatchObservableResult): void {
    for (const source of all) {
      const pool = source.stats()
      result.observe(queued, pool.queued, { 'limpet.pool': pool.pool })
      for (const [index, instrument] of INSTRUMENTS.entries()) {
        const observable = observables[index]
        if (observable !== undefined) observePool(result, observable, instrument, pool)
      }
    }
  }
  meter.addBatchObservableCallback(collect, [...observables, queued])
  return () => meter.removeBatchObservableCallback(collect, [...observables, queued])
}

function observableOf(meter: Meter, { name, kind, unit, description }: Instrument): Observable {
  const options = { unit, description }
  if (kind === 'counter') return meter.createObservableCounter(name, options)
  return kind === 'gauge'
    ? meter.createObservableGauge(name, options)
    : meter.createObservableUpDownCounter(name, options)
}

function observePool(
  result: BatchObservableResult,
  observable: Observable,
  { read, part = '' }: Instrument,
  { pool, backends }: PoolFigures,
): void {
  for (const backend of backends) {
    const attributes: Attributes = { 'limpet.pool': pool, 'limpet.backend': backend.id }
    const value = read(backend)
    if (typeof value === 'number') result.observe(observable, value, attributes)
    else if (value !== undefined) {
      for (const [word, count] of Object.entries(value))
        result.observe(observable, count, { ...attributes, [part]: word })
    }
  }
}

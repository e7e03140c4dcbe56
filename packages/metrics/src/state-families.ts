import type { BackendFigures } from '@limpet/core'
import { type AnyFamily, counter, gauge, type Sample } from './family.ts'
import { eachBackend, type LabelledPool, ofBackend, ofPool } from './labelled-pool.ts'

/** The states of backends: health, commands, weights, checks and drains. */
export function stateFamilies(all: readonly LabelledPool[]): AnyFamily[] {
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

function* drainSamples(
  all: readonly LabelledPool[],
  read: (backend: BackendFigures, atMs: number) => number | undefined,
): Generator<Sample> {
  for (const { pool, backends } of all) {
    for (const [labels, backend] of backends) {
      const value = backend.drain === undefined ? undefined : read(backend, pool.atMs)
      if (value !== undefined) yield [labels, value]
    }
  }
}

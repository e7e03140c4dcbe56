import { type AnyFamily, counter, gauge, type Sample, withLabel } from './family.ts'
import { eachBackend, eachPool, type LabelledPool, ofBackend } from './labelled-pool.ts'

/** Sessions: how many there are, began and moved. */
export function sessionFamilies(all: readonly LabelledPool[]): AnyFamily[] {
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

function* movedSamples(all: readonly LabelledPool[]): Generator<Sample> {
  yield* eachBackend(all, backend => backend.sessionsMoved, 'reason')
  for (const { labels, pool } of all) yield [withLabel(labels, 'reason', 'removed'), pool.sessionsOfRemoved]
}

import { setTimeout as delay } from 'node:timers/promises'
import type { EndedDrain } from '@limpet/core'
import { type AdminClient, AdminRequestError, type BackendName, type BackendRow } from './admin-client.ts'
import { drainProgress } from './drain-progress.ts'
import type { Screen } from './screen.ts'

const LOOK_MS = 500
/** For so long in a row the gateway may be silent: it may be restarted meanwhile. */
const MAX_SILENCE_MS = 30_000

/** Exit codes. */
const SAFE = 0
const FAILED = 1
const MOVED = 2

/**
 * Shows a drain until it is over.
 * @param begun the backend after the command
 * @returns the exit code: 0 no session was moved, 2 the deadline moved some, 1 the backend is not safe to stop
 */
export async function watchDrain(
  client: AdminClient,
  name: BackendName,
  begun: BackendRow,
  screen: Screen,
): Promise<number> {
  const startedAtMs = begun.drain?.startedAtMs ?? Date.now()
  let row: BackendRow | undefined = begun
  let heardMs = performance.now()
  while (row !== undefined && goesOn(row)) {
    screen.progress(drainProgress(row, Date.now()))
    await delay(LOOK_MS)
    try {
      row = await client.backend(name)
      heardMs = performance.now()
    } catch (error) {
      const isSilent = error instanceof AdminRequestError && error.statusCode === undefined
      if (!isSilent || performance.now() - heardMs > MAX_SILENCE_MS) throw error
    }
  }
  return tell(name, row, startedAtMs, screen)
}

/** Other gateways may end the same drain a moment later. */
function goesOn({ drain, fleet }: BackendRow): boolean {
  return drain !== undefined || (fleet?.processes ?? 0) > 0
}

function tell(
  { pool, id }: BackendName,
  row: BackendRow | undefined,
  startedAtMs: number,
  screen: Screen,
): number {
  const backend = `${pool}/${id}`
  if (row === undefined) {
    screen.error(`${backend} has left its pool; its requests in flight end by themselves`)
    return FAILED
  }
  const { state, lastDrain } = row
  const isOurs = lastDrain !== undefined && lastDrain.startedAtMs >= startedAtMs
  if (!isOurs || lastDrain.outcome === 'cancelled' || state !== 'maint') {
    screen.error(`the drain of ${backend} was ended by another command; its state is ${state}`)
    return FAILED
  }
  if (lastDrain.outcome === 'drained') {
    screen.result(`${backend} is safe to stop: no session is left`)
    return SAFE
  }
  const { sessions, sessionsEstimated } = lastDrain
  // After the deadline requests have a few seconds to end, at each gateway.
  const inFlight = row.fleet?.inFlight ?? lastDrain.inFlight
  screen.result(`${backend} is safe to stop: ${movedText({ ...lastDrain, inFlight })}`)
  return sessions === 0 && !sessionsEstimated && inFlight === 0 ? SAFE : MOVED
}

function movedText({ sessions, sessionsEstimated, inFlight }: EndedDrain): string {
  const count = `${sessionsEstimated ? 'about ' : ''}${sessions} ${sessions === 1 ? 'session' : 'sessions'}`
  const moved = sessions === undefined ? 'sessions that are not counted' : count
  const cut = inFlight === 0 ? '' : `, and ${inFlight} requests were still in flight`
  return `the deadline has passed, and moved ${moved}${cut}`
}

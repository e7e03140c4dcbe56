import type { Fleet } from './fleet.ts'
import type { FleetDrill, FleetScene } from './fleet-drills.ts'
import { FleetTraffic } from './fleet-traffic.ts'
import { none } from './outcome.ts'
import type { Load } from './traffic.ts'

/** The result of a drill on a fleet. */
export interface FleetOutcome {
  readonly drill: string
  readonly requests: number
  /** Requests that had another answer than 200, or none. */
  readonly errors: number
  /** Attempts that the balancer repeated at another gateway. */
  readonly repeated: number
  /** Sessions that met another shop than their own. */
  readonly lost: number
  /** Look-ups in Redis, for each of which a request has waited. */
  readonly lookups: number
  readonly slowestMs: number
  /** The slowest request with an id that no gateway knows. */
  readonly slowestStrangerMs: number
  /** Shops that were found down, with the reason. */
  readonly down: readonly string[]
  /** Deviations from the requirements. */
  readonly problems: readonly string[]
}

export interface FleetLoad extends Load {
  /** How long Redis is silent. */
  readonly silenceMs: number
}

/** Performs drills on a fleet under load, one after the other. */
export async function* runFleetDrills(
  fleet: Fleet,
  drills: readonly FleetDrill[],
  load: FleetLoad,
): AsyncGenerator<FleetOutcome, void, undefined> {
  const traffic = new FleetTraffic(fleet, load)
  try {
    await traffic.round()
    for (const drill of drills) yield await run(drill, { fleet, traffic, silenceMs: load.silenceMs })
  } finally {
    await traffic.stop()
  }
}

async function run(drill: FleetDrill, scene: FleetScene): Promise<FleetOutcome> {
  const { fleet, traffic } = scene
  traffic.isRoaming = drill.isStaying !== true
  // Every client has its connection, and each session is known to the gateway at its end.
  await traffic.round()
  const begunMs = Date.now()
  const logged = drill.logs.map(event => fleet.count(event))
  const before = await fleet.lookups()
  const dead = await drill.run(scene)
  traffic.isRoaming = true
  await traffic.round()
  await traffic.round()
  const after = await fleet.lookups()
  const visits = traffic.visits.filter(({ endedMs }) => endedMs >= begunMs)
  const errors = visits.filter(({ status }) => status !== 200)
  const moves = traffic.clients.map(client => client.moves.filter(({ atMs }) => atMs >= begunMs))
  const strays = moves.flat().filter(({ from }) => from !== dead)
  const again = moves.filter(of => of.length > 1)
  const left = traffic.clients.filter(({ home }) => home !== undefined && home === dead)
  return {
    drill: drill.name,
    requests: visits.length,
    errors: errors.length,
    repeated: visits.reduce((sum, { repeated }) => sum + repeated, 0),
    lost: moves.filter(of => of.length > 0).length,
    // A Redis that was started again counts from 0.
    lookups: after >= before ? after - before : after,
    slowestMs: slowest(visits),
    slowestStrangerMs: slowest(traffic.strangers.filter(({ endedMs }) => endedMs >= begunMs)),
    down: fleet.foundDown(begunMs),
    problems: [
      none(errors, 'errors'),
      none(strays, 'sessions lost whose shop is there'),
      none(again, 'sessions moved more than once'),
      none(
        left.map(({ home }) => home),
        'sessions stayed at a dead shop',
      ),
      none(
        drill.logs.filter((event, at) => fleet.count(event) === logged[at]),
        'events are missing in the log',
      ),
    ].filter(problem => problem !== false),
  }
}

function slowest(visits: readonly { readonly startedMs: number; readonly endedMs: number }[]): number {
  return visits.reduce((most, { startedMs, endedMs }) => Math.max(most, endedMs - startedMs), 0)
}

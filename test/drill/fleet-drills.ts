import { setTimeout as delay } from 'node:timers/promises'
import type { Fleet, FleetSize } from './fleet.ts'
import type { FleetTraffic } from './fleet-traffic.ts'

/** The parts that a drill on a fleet works with. */
export interface FleetScene {
  readonly fleet: Fleet
  readonly traffic: FleetTraffic
  /** How long Redis is silent. */
  readonly silenceMs: number
}

/** A failure, and what follows of it. Every drill ends with a fleet that is whole again. */
export interface FleetDrill {
  readonly name: string
  /** The claim to show, in a line. */
  readonly shows: string
  /** Clients keep their connections meanwhile. Afterwards every gateway has to find every session. */
  readonly isStaying?: boolean
  /** The events that a log has to have after it. */
  readonly logs: readonly string[]
  /** Returns the shop that died, with its sessions. */
  readonly run: (scene: FleetScene) => Promise<string | undefined>
}

/** A disturbance is watched for this long. */
const WATCH_MS = 1_500
const POLL_MS = 20

const KILLED_GATEWAY: FleetDrill = {
  name: 'kill -9 of a gateway',
  shows: 'no error and no session lost, neither when it dies nor when it is back',
  logs: ['listening'],
  async run({ fleet: { gateways } }) {
    await gateways[0]?.kill()
    await delay(WATCH_MS)
    await gateways[0]?.start()
    return undefined
  },
}

const KILLED_WORKER: FleetDrill = {
  name: 'kill -9 of a worker',
  shows: 'no error and no session lost; its successor knows all sessions',
  logs: ['worker_exited', 'worker_started'],
  async run({ fleet: { gateways } }) {
    await gateways.at(-1)?.killWorkers(1)
    return undefined
  },
}

const KILLED_WORKERS: FleetDrill = {
  name: 'kill -9 of all workers',
  shows: 'requests wait for the successors, which know all sessions',
  logs: ['worker_exited', 'worker_started'],
  async run({ fleet: { gateways, workers } }) {
    await gateways[0]?.killWorkers(workers)
    return undefined
  },
}

const RESTARTED_GATEWAYS: FleetDrill = {
  name: 'rolling restart of all gateways',
  shows: 'no error and no session lost',
  logs: ['ended'],
  async run({ fleet: { gateways } }) {
    for (const gateway of gateways) {
      await gateway.stop()
      await gateway.start()
    }
    return undefined
  },
}

const SILENT_REDIS: FleetDrill = {
  name: 'Redis is silent',
  shows: 'no error and no session lost; known sessions do not wait',
  isStaying: true,
  logs: ['redis_state'],
  async run({ fleet, traffic, silenceMs }) {
    const connected = connectionsOf(fleet)
    fleet.redis.pause()
    await delay(silenceMs)
    fleet.redis.resume()
    await connected()
    await traffic.round()
    return undefined
  },
}

function killedRedis(isEmpty: boolean): FleetDrill {
  return {
    name: `kill -9 of Redis, which comes back ${isEmpty ? 'empty' : 'with its sessions'}`,
    shows: 'no error and no session lost; all gateways find the sessions that were used since',
    isStaying: true,
    logs: ['redis_state'],
    async run({ fleet, traffic }) {
      const connected = connectionsOf(fleet)
      await fleet.redis.kill()
      await delay(WATCH_MS)
      await fleet.restartRedis(isEmpty)
      await connected()
      await traffic.round()
      return undefined
    },
  }
}

const KILLED_SHOP: FleetDrill = {
  name: 'kill -9 of a backend',
  shows: 'no error; its sessions move, each once, and no other',
  logs: ['health_changed'],
  async run({ fleet: { shops } }) {
    await shops[0]?.kill()
    await delay(WATCH_MS)
    return shops[0]?.id
  },
}

export interface FleetKind {
  readonly name: string
  readonly size: FleetSize
  /** Performed in this sequence. The last of them ends sessions. */
  readonly drills: readonly FleetDrill[]
}

export const FLEETS: readonly FleetKind[] = [
  {
    name: 'several gateways with Redis',
    size: { gateways: 3, workers: 2, shops: 6, hasRedis: true },
    drills: [
      KILLED_GATEWAY,
      KILLED_WORKER,
      SILENT_REDIS,
      killedRedis(false),
      killedRedis(true),
      RESTARTED_GATEWAYS,
      KILLED_SHOP,
    ],
  },
  {
    name: 'one gateway with several workers',
    size: { gateways: 1, workers: 4, shops: 6, hasRedis: false },
    drills: [KILLED_WORKER, KILLED_WORKERS, KILLED_SHOP],
  },
]

/** Counts changes of the connections to Redis, and waits until each that was lost is there again. */
function connectionsOf(fleet: Fleet): () => Promise<void> {
  const count = (state: string): number => fleet.count('redis_state', state)
  const [up, down] = [count('up'), count('down')]
  return async () => {
    while (count('up') - up < count('down') - down) await delay(POLL_MS)
  }
}

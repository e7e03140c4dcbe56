import { setTimeout as delay } from 'node:timers/promises'
import { ask } from '../support/http-client.ts'
import { BackendProcess } from '../support/shop-process.ts'
import { type DrilledGateway, type Found, SETTINGS } from './drilled-gateway.ts'
import { at, isError, type Judged, none } from './outcome.ts'
import type { Traffic } from './traffic.ts'
import type { Move, Visit } from './visitor.ts'

/** The parts that a drill works with. */
export interface Scene {
  readonly gateway: DrilledGateway
  /** w1, w2 and w3. */
  readonly shops: readonly [BackendProcess, BackendProcess, BackendProcess]
  readonly traffic: Traffic
  /** When the disturbance began: all before is only to fill the carts. */
  readonly begunMs: number
  /** The time that a busy machine may have added so far, judged by how long this process and the gateway waited for a CPU. */
  readonly stalledMs: () => number
  /** How long the gateway has waited for a CPU so far. */
  readonly gatewayStarvedMs: () => number
}

export interface Drill {
  readonly name: string
  /** The claim to show, in a line. */
  readonly shows: string
  /** A timeout has to find the lost backend. In the others it refuses connections. */
  readonly isFoundByTimeout?: boolean
  /** Undefined: the gateway has no means for it. */
  readonly run: (scene: Scene) => Promise<Judged | undefined>
}

/** A drill waits no longer for a thing to happen. */
const GIVEN_UP_MS = 20_000
/** For a busy machine; what takes this much longer is a defect. */
const SLACK_MS = 700
/** A share of fewer new sessions than this says little. */
const MIN_NEWCOMERS = 60
const FOUND_MS = SETTINGS.checkInterval * 1.1 * SETTINGS.fall + SETTINGS.checkTimeout

/** A check in which the gateway was late by this much gives no verdict. */
const LATE_MS = 30
const CHECK_MS = SETTINGS.checkInterval * 1.1 + SETTINGS.checkTimeout

const kill: Drill = {
  name: 'kill -9',
  shows: 'no error for others; of its own only what was in flight there; each moved once',
  async run({ shops: [victim], traffic, begunMs }) {
    await victim.kill()
    const goneMs = Date.now()
    await delay(3_000)
    await traffic.round()
    await traffic.stop()
    const own = at(traffic.visitors, victim.id, begunMs)
    const others = traffic.visitors.filter(visitor => !own.includes(visitor))
    const inFlight = ({ method, startedMs }: Visit): boolean => method === 'POST' && startedMs <= goneMs
    const errors = traffic.visits.filter(isError)
    return {
      remark: `${own.length} sessions there, last error ${Math.max(0, ...errors.map(visit => visit.endedMs - begunMs))} ms after`,
      problems: [
        none(
          errors.filter(visit => !inFlight(visit)),
          'errors that were not in flight there',
        ),
        none(
          others.flatMap(({ moves }) => moves),
          'others moved',
        ),
        none(
          own.filter(({ moves }) => moves.length !== 1).map(({ moves }) => moves),
          'not moved once',
        ),
      ],
    }
  },
}

const stop: Drill = {
  name: 'SIGSTOP',
  shows: 'the same after the response timeout; found within interval × fall + timeout',
  isFoundByTimeout: true,
  async run({ gateway, shops: [victim], traffic, begunMs, stalledMs, gatewayStarvedMs }) {
    victim.freeze()
    await delay(3_000)
    const findDown = (): Found | undefined =>
      gateway.found?.find(
        ({ backend, healthy, atMs }) => backend === victim.id && !healthy && atMs >= begunMs,
      )
    while (gateway.found !== undefined && findDown() === undefined && Date.now() < begunMs + GIVEN_UP_MS)
      await delay(50)
    await traffic.stop()
    victim.thaw()
    const own = at(traffic.visitors, victim.id, begunMs)
    const others = traffic.visitors.filter(visitor => !own.includes(visitor))
    const found = findDown()
    const slackMs = SLACK_MS + stalledMs()
    // A gateway that was starved makes its checks again.
    const againMs = CHECK_MS * Math.floor(gatewayStarvedMs() / LATE_MS)
    const foundMs = FOUND_MS + slackMs + againMs
    const foundAfterMs = found === undefined ? Infinity : found.atMs - begunMs
    // A request that a dead backend had received may be retried elsewhere only if it is idempotent. One that timed out
    // before the backend was found down had to stay.
    const excused = ({ method, startedMs, endedMs, status }: Visit): boolean =>
      (method === 'POST' && startedMs <= begunMs + foundMs) ||
      (status === 504 && found !== undefined && endedMs <= found.atMs + stalledMs())
    return {
      remark: gateway.found === undefined ? '' : `found after ${foundAfterMs} ms`,
      problems: [
        gateway.found !== undefined && foundAfterMs > foundMs && `found after ${foundAfterMs} ms`,
        none(
          traffic.visits.filter(visit => isError(visit) && !excused(visit)),
          'errors that were not POSTs there',
        ),
        none(
          others.flatMap(({ moves }) => moves),
          'others moved',
        ),
        none(
          own.filter(({ moves }) => moves.length > 1).map(({ moves }) => moves),
          'moved more than once',
        ),
        none(
          traffic.visits.filter(
            ({ startedMs, endedMs }) =>
              startedMs >= begunMs && endedMs - startedMs > SETTINGS.responseTimeout + slackMs,
          ),
          'slower than the response timeout',
        ),
      ],
    }
  },
}

const deploy: Drill = {
  name: 'rolling deploy',
  shows: 'no error; a session moves only off a backend that goes, and once for each',
  async run({ gateway, shops, traffic }) {
    if (gateway.drain === undefined || gateway.ready === undefined) return undefined
    const turns: { id: string; fromMs: number; toMs: number }[] = []
    for (const shop of shops) {
      const fromMs = Date.now()
      await gateway.drain(shop.id, 500)
      await shop.restart()
      await gateway.ready(shop.id)
      await delay(1_000)
      turns.push({ id: shop.id, fromMs, toMs: Date.now() })
    }
    await traffic.stop()
    const turnOf = ({ atMs }: Move): string | undefined =>
      turns.find(({ fromMs, toMs }) => atMs >= fromMs && atMs <= toMs)?.id
    const moves = traffic.visitors.flatMap(visitor => visitor.moves)
    const twice = traffic.visitors.filter(visitor =>
      turns.some(({ id }) => visitor.moves.filter(move => turnOf(move) === id).length > 1),
    )
    return {
      problems: [
        none(traffic.visits.filter(isError), 'errors'),
        none(
          moves.filter(move => move.from !== turnOf(move)),
          'moves off a backend that stayed',
        ),
        none(
          twice.map(visitor => visitor.moves),
          'moved twice in one round',
        ),
      ],
    }
  },
}

const flap: Drill = {
  name: 'flap',
  shows: 'no session moved more than twice a minute; no error for others',
  async run({ shops: [flapper], traffic, begunMs }) {
    const own = at(traffic.visitors, flapper.id, begunMs)
    for (let times = 0; times < 3; times += 1) {
      await flapper.close()
      await delay(1_000)
      await flapper.open()
      await delay(1_000)
    }
    await traffic.stop()
    const others = traffic.visitors.filter(visitor => !own.includes(visitor))
    const errors = traffic.visits.filter(isError)
    return {
      problems: [
        none(
          errors.filter(({ home }) => home !== flapper.id),
          'errors for others',
        ),
        none(
          errors.filter(({ method }) => method === 'GET'),
          'errors of what could be done elsewhere',
        ),
        none(
          others.flatMap(({ moves }) => moves),
          'others moved',
        ),
        none(
          own.filter(({ moves }) => moves.length > 2).map(({ moves }) => moves),
          'moved more than twice',
        ),
      ],
    }
  },
}

const scale: Drill = {
  name: 'scale 3 to 6 to 3',
  shows: 'no error; new sessions come to the new ones within slow start, old ones stay',
  async run({ gateway, traffic, begunMs }) {
    if (gateway.add === undefined || gateway.drain === undefined || gateway.remove === undefined)
      return undefined
    const added = ['w4', 'w5', 'w6'].map(id => new BackendProcess(id))
    try {
      await Promise.all(added.map(async shop => shop.listening))
      for (const shop of added) await gateway.add(shop)
      const grownMs = Date.now()
      const homes: { home: string | undefined; atMs: number }[] = []
      const isWarm = ({ atMs }: { readonly atMs: number }): boolean => atMs > SETTINGS.slowStart
      while (
        Date.now() < grownMs + SETTINGS.slowStart + 1_000 ||
        (homes.filter(isWarm).length < MIN_NEWCOMERS && Date.now() < grownMs + GIVEN_UP_MS)
      ) {
        const { home } = await traffic.newcomer()
        homes.push({ home, atMs: Date.now() - grownMs })
        await delay(10)
      }
      const movedBefore = traffic.visitors.flatMap(({ moves }) => moves)
      const isNew = (home: string | undefined): boolean => added.some(({ id }) => id === home)
      const warm = homes.filter(isWarm)
      const early = homes.filter(home => !isWarm(home))
      const late = share(warm.map(({ home }) => isNew(home)))
      const first = share(early.map(({ home }) => isNew(home)))
      await Promise.all(added.map(async ({ id }) => gateway.drain?.(id, 300)))
      for (const { id } of added) await gateway.remove(id)
      await delay(500)
      await traffic.stop()
      const newcomerErrors = traffic.newcomers.flatMap(({ visits }) => visits).filter(isError)
      return {
        remark: `new backends got ${percent(first)} of ${early.length} new sessions while starting, ${percent(late)} after`,
        problems: [
          none(
            [
              ...traffic.visits.filter(({ startedMs }) => startedMs >= begunMs).filter(isError),
              ...newcomerErrors,
            ],
            'errors',
          ),
          none(movedBefore, 'old sessions moved'),
          none(
            traffic.visitors.flatMap(({ moves }) => moves),
            'old sessions moved in the end',
          ),
          !(late > 0.35 && late < 0.65) && `the new backends got ${percent(late)} of new sessions in the end`,
          early.length >= MIN_NEWCOMERS &&
            !(first > 0.02 && first < late) &&
            `the new backends got ${percent(first)} of new sessions at first`,
        ],
      }
    } finally {
      await Promise.all(added.map(async shop => shop.kill()))
    }
  },
}

const allDown: Drill = {
  name: 'all down for 2 s',
  shows: '503 with Retry-After at once, no storm, all back within 1 s, sessions intact',
  async run({ shops, traffic, begunMs, stalledMs }) {
    const homes = new Map(traffic.visitors.map(visitor => [visitor, visitor.home]))
    const begunBefore = shops.reduce((sum, { begun }) => sum + begun.length, 0)
    await Promise.all(shops.map(async shop => shop.close()))
    const downMs = Date.now()
    await delay(2_000)
    await Promise.all(shops.map(async shop => shop.open()))
    const upMs = Date.now()
    await delay(2_000)
    await traffic.stop()
    const visits = traffic.visits.filter(({ startedMs }) => startedMs >= begunMs)
    const down = visits.filter(({ startedMs, endedMs }) => startedMs > downMs && endedMs < upMs)
    const seen = shops.reduce((sum, { begun }) => sum + begun.length, 0) - begunBefore
    const errors = visits.filter(isError)
    const lastMs = Math.max(upMs, ...errors.map(({ endedMs }) => endedMs)) - upMs
    const slackMs = SLACK_MS + stalledMs()
    const known = down.filter(({ startedMs }) => startedMs > downMs + FOUND_MS + slackMs)
    return {
      remark: `${down.length} were told, the slowest after ${Math.max(0, ...down.map(visit => visit.endedMs - visit.startedMs))} ms; last error ${lastMs} ms after the return; backends saw ${((100 * seen) / visits.length).toFixed(0)} % of the requests`,
      problems: [
        none(
          down.filter(({ status }) => status !== 503 && status !== 502),
          'other answers than 502 and 503',
        ),
        none(
          known.filter(({ status }) => status !== 503),
          'other answers than 503 when it was known',
        ),
        none(
          down.filter(({ retryAfter }) => retryAfter === undefined),
          'without Retry-After',
        ),
        none(
          down.filter(({ startedMs, endedMs }) => endedMs - startedMs > 250 + slackMs),
          'that had to wait',
        ),
        seen > 1.2 * visits.length && `backends saw ${seen} of ${visits.length} requests`,
        lastMs > 1_000 + slackMs && `the last error ${lastMs} ms after the return`,
        none(
          [...homes].filter(([visitor, home]) => visitor.home !== home).map(([{ moves }]) => moves),
          'sessions elsewhere',
        ),
        none(
          traffic.visitors.filter(({ lost }) => lost > 0),
          'carts lost',
        ),
      ],
    }
  },
}

const poison: Drill = {
  name: 'poison request',
  shows: 'no error for others, and no backend is taken out',
  async run({ gateway, traffic, begunMs }) {
    const poisoned: Promise<unknown>[] = []
    for (let times = 0; times < 60; times += 1) {
      poisoned.push(ask(gateway.port, { path: '/poison' }).catch(() => undefined))
      await delay(50)
    }
    await Promise.all(poisoned)
    const healthy = await gateway.healthy?.()
    await traffic.stop()
    return {
      problems: [
        none(
          traffic.visits.filter(visit => visit.startedMs >= begunMs && isError(visit)),
          'errors for others',
        ),
        none(
          traffic.visitors.flatMap(({ moves }) => moves),
          'sessions moved',
        ),
        none(
          (gateway.found ?? []).filter(({ healthy: isUp }) => !isUp),
          'taken out',
        ),
        healthy !== undefined && healthy.length !== 3 && `healthy: ${healthy.join(', ')}`,
      ],
    }
  },
}

export const DRILLS: readonly Drill[] = [kill, stop, deploy, flap, scale, allDown, poison]

function share(list: readonly boolean[]): number {
  return list.filter(Boolean).length / Math.max(1, list.length)
}

function percent(value: number): string {
  return `${(100 * value).toFixed(0)} %`
}

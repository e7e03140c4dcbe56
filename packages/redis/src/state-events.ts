import { channel } from 'node:diagnostics_channel'

/** On `limpet:redis-state`: the connection of a pool to Redis has changed. */
export interface RedisStateEvent {
  readonly pool: string
  /** Its use: learned sessions, or operators' commands. */
  readonly of: 'learned' | 'fleet'
  /** `degraded`: Redis responds, and refuses a part: writes, or invalidation messages. `down`: it is not asked. */
  readonly state: 'up' | 'degraded' | 'down'
  /** Why, for the log; undefined with `up`. Holds no password and no session. */
  readonly reason: string | undefined
}

/** On `limpet:redis-bad-value`: another program writes under our keys, or another secret does. At most once a minute. */
export interface RedisBadValueEvent {
  readonly pool: string
  readonly of: 'learned' | 'fleet'
  readonly reason: string
  /** Such values since the last event. */
  readonly count: number
}

const redisState = channel('limpet:redis-state')
const redisBadValue = channel('limpet:redis-bad-value')

const BAD_VALUE_PAUSE_MS = 60_000
const MAX_REASON = 200

/** Publishes each change of state once. */
export class StateEvents {
  readonly #pool: string
  readonly #of: 'learned' | 'fleet'
  #isDown = false
  #hasBegun = false
  /** Refused operations, by the refusing server. */
  readonly #refused = new Map<string, string>()
  #badValues = 0
  #badValuesToldMs = Number.NEGATIVE_INFINITY

  constructor(pool: string, of: 'learned' | 'fleet') {
    this.#pool = pool
    this.#of = of
  }

  down(error: unknown): void {
    if (this.#isDown) return
    this.#isDown = true
    this.#hasBegun = true
    this.#publish('down', reasonOf(error))
  }

  up(): void {
    if (this.#hasBegun && !this.#isDown) return
    this.#isDown = false
    this.#hasBegun = true
    this.#publishUp()
  }

  /** A part of the commands, such as `writes`, is refused. */
  refused(part: string, error: unknown): void {
    const reason = `${part}: ${reasonOf(error)}`
    if (this.#refused.get(part) === reason) return
    this.#refused.set(part, reason)
    if (this.#hasBegun && !this.#isDown) this.#publishUp()
  }

  accepted(part: string): void {
    if (this.#refused.delete(part) && !this.#isDown) this.#publishUp()
  }

  badValue(reason: string): void {
    this.#badValues += 1
    const nowMs = performance.now()
    if (nowMs - this.#badValuesToldMs < BAD_VALUE_PAUSE_MS) return
    this.#badValuesToldMs = nowMs
    if (redisBadValue.hasSubscribers) {
      const count = this.#badValues
      redisBadValue.publish({ pool: this.#pool, of: this.#of, reason, count } satisfies RedisBadValueEvent)
    }
    this.#badValues = 0
  }

  #publishUp(): void {
    const reasons = [...this.#refused.values()]
    if (reasons.length === 0) this.#publish('up', undefined)
    else this.#publish('degraded', reasons.join('; '))
  }

  #publish(state: RedisStateEvent['state'], reason: string | undefined): void {
    if (!redisState.hasSubscribers) return
    redisState.publish({ pool: this.#pool, of: this.#of, state, reason } satisfies RedisStateEvent)
  }
}

function reasonOf(error: unknown): string {
  // Of several addresses that refuse, none has a message on the outside.
  const one: unknown = error instanceof AggregateError && error.message === '' ? error.errors[0] : error
  const text = `${isForeign(one) ? 'not the protocol of Redis: ' : ''}${one instanceof Error ? one.message || one.name : String(one)}`
  // A server without HELLO repeats the arguments of the command, the password among them.
  return (text.split(', with args beginning with', 1)[0] ?? '').slice(0, MAX_REASON)
}

/** The client has no error of its own for replies that it cannot read, or that no command has asked for. */
function isForeign(error: unknown): boolean {
  return (
    error instanceof TypeError || (error instanceof Error && error.message.startsWith('Unknown RESP type'))
  )
}

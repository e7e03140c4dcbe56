import { TICKS_PER_MS, ticksNow, ticksSince } from '../counts/ticks.ts'
import type { FailureKind } from '../failure.ts'
import type { Decision, DecisionContext } from '../selection/decision.ts'
import { explanationOf } from './explain.ts'
import type { ReadKeys } from './explained-keys.ts'
import type { AttemptExplanation, Explanation } from './explanation.ts'

/** The decision about one request, and its attempts. Made for a request that asks for its decision. */
export class DecisionLog {
  readonly #context: DecisionContext
  readonly #read: readonly ReadKeys[]
  readonly #pin: string | undefined
  #decided: Explanation | undefined
  #queuedMs: number | undefined
  readonly #attempts: Attempt[] = []

  /** @param pin the id of the backend to which the request is pinned */
  constructor(context: DecisionContext, read: readonly ReadKeys[], pin?: string) {
    this.#pin = pin
    this.#context = context
    this.#read = read
  }

  /**
   * Takes the decision down, before the pool counts the request.
   * @param decision undefined: no backend may take the request
   * @param queuedMs how long the request has waited; undefined: it has not
   */
  decided(decision: Decision | undefined, queuedMs?: number): void {
    this.#decided = explanationOf(this.#context, this.#read, decision, false, this.#pin)
    this.#queuedMs = queuedMs
    if (decision !== undefined) this.began(decision.view.backend.id)
  }

  /** An attempt begins; the one before it, if it is not over, is given up for `kind`. */
  began(backend: string, kind?: FailureKind): void {
    if (kind !== undefined) this.ended(kind)
    this.#attempts.push({
      backend,
      startedTicks: ticksNow(),
      outcome: undefined,
      statusCode: undefined,
      ms: undefined,
    })
  }

  /** The last attempt is over, unless it was before. */
  ended(outcome: FailureKind | 'responded', statusCode?: number): void {
    const attempt = this.#attempts.at(-1)
    if (attempt === undefined || attempt.outcome !== undefined) return
    attempt.outcome = outcome
    attempt.statusCode = statusCode
    attempt.ms = msSince(attempt.startedTicks)
  }

  /** So far. */
  get explanation(): Explanation {
    const decided = (this.#decided ??= explanationOf(this.#context, this.#read, undefined, false, this.#pin))
    return {
      ...decided,
      ...(this.#queuedMs !== undefined && { queuedMs: this.#queuedMs }),
      ...(this.#attempts.length > 0 && { attempts: this.#attempts.map(explained) }),
    }
  }
}

interface Attempt {
  readonly backend: string
  readonly startedTicks: number
  outcome: FailureKind | 'responded' | undefined
  statusCode: number | undefined
  ms: number | undefined
}

function explained({ backend, startedTicks, outcome, statusCode, ms }: Attempt): AttemptExplanation {
  return {
    backend,
    ...(outcome !== undefined && { outcome }),
    ...(statusCode !== undefined && { statusCode }),
    ms: ms ?? msSince(startedTicks),
  }
}

function msSince(ticks: number): number {
  return ticksSince(ticks) / TICKS_PER_MS
}

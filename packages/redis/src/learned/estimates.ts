/** An estimate is asked for again after `FRESH_MS`, and not believed after `MAX_AGE_MS`. */
const FRESH_MS = 1_000
const MAX_AGE_MS = 3_000

interface Estimate {
  count: number | undefined
  atMs: number
  isAsking: boolean
}

/** Numbers of sessions that Redis has to be asked for, for callers that cannot wait. */
export class Estimates {
  readonly #ask: (backendId: string) => Promise<number>
  readonly #estimates = new Map<string, Estimate>()

  constructor(ask: (backendId: string) => Promise<number>) {
    this.#ask = ask
  }

  /** The last one, and asks for the next. Undefined when there is none, or only an old one. */
  count(backendId: string): number | undefined {
    let estimate = this.#estimates.get(backendId)
    if (estimate === undefined) {
      estimate = { count: undefined, atMs: Number.NEGATIVE_INFINITY, isAsking: false }
      this.#estimates.set(backendId, estimate)
    }
    const ageMs = performance.now() - estimate.atMs
    if (ageMs > FRESH_MS && !estimate.isAsking) void this.#renew(backendId, estimate)
    return ageMs > MAX_AGE_MS ? undefined : estimate.count
  }

  async #renew(backendId: string, estimate: Estimate): Promise<void> {
    estimate.isAsking = true
    try {
      estimate.count = await this.#ask(backendId)
      estimate.atMs = performance.now()
    } catch {
      // Redis is away; the state of the connection has said so.
    }
    estimate.isAsking = false
  }
}

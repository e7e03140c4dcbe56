import type { PoolFigures } from '@limpet/core'

/** Rates that are kept of each backend. */
export const MAX_RATES = 60
/** Several operators look at one page, and each look is a sample: closer ones would make rates of noise. */
const MIN_STEP_MS = 900

/** The requests per second of one pool or backend, oldest first. */
interface Track {
  requests: number
  readonly rates: number[]
}

interface PoolTracks {
  atMs: number
  readonly all: Track
  backends: Map<string, Track>
}

/**
 * Rates between the looks at a page. Nothing is sampled while the page is not open, so it costs nothing then, and its
 * sparklines begin when it is opened.
 */
export class RateHistory {
  readonly #pools = new Map<string, PoolTracks>()

  note(pools: readonly PoolFigures[]): void {
    for (const pool of pools) this.#notePool(pool)
    for (const name of this.#pools.keys())
      if (!pools.some(({ pool }) => pool === name)) this.#pools.delete(name)
  }

  /** @param id of a backend; undefined: the whole pool */
  of(pool: string, id?: string): readonly number[] {
    const tracks = this.#pools.get(pool)
    return (id === undefined ? tracks?.all : tracks?.backends.get(id))?.rates ?? []
  }

  #notePool({ pool, atMs, requests, backends }: PoolFigures): void {
    const known = this.#pools.get(pool)
    if (known === undefined) {
      this.#pools.set(pool, {
        atMs,
        all: { requests, rates: [] },
        backends: new Map(backends.map(one => [one.id, { requests: one.requests, rates: [] }])),
      })
      return
    }
    const stepMs = atMs - known.atMs
    if (stepMs >= 0 && stepMs < MIN_STEP_MS) return
    known.atMs = atMs
    advance(known.all, requests, stepMs)
    // A new map: backends that were removed are forgotten.
    known.backends = new Map(
      backends.map(one => {
        const track = known.backends.get(one.id)
        if (track === undefined) return [one.id, { requests: one.requests, rates: [] }]
        advance(track, one.requests, stepMs)
        return [one.id, track]
      }),
    )
  }
}

/** A count may fall: a worker has ended, or the clock was set back. */
function advance(track: Track, requests: number, stepMs: number): void {
  const rate = stepMs <= 0 ? 0 : (1_000 * Math.max(0, requests - track.requests)) / stepMs
  track.requests = requests
  track.rates.push(rate)
  if (track.rates.length > MAX_RATES) track.rates.shift()
}

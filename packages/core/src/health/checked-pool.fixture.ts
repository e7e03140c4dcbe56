import { useFakeTimers } from '../fake-timers.fixture.ts'
import { afterEach, vi } from 'vitest'
import { LivePool } from '../pool/live-pool.ts'
import { startHealthChecks } from './health-checks.ts'
import { type HealthOptions, parseHealth } from './health-options.ts'

export type Verdict = 'well' | 'sick' | 'silent'
/** The verdict, or a response by which a backend drains itself. */
export type Said = Verdict | 'drain' | 'not-found'

export const closers: (() => void)[] = []

/** A pool whose backends respond to checks as `verdicts` says. */
export function checked(
  ids: string,
  options: HealthOptions = {},
  verdicts = new Map<string, Said>(),
  pool = new LivePool(
    'p',
    Array.from(ids, id => ({ id, url: `http://${id}.test` })),
  ),
) {
  const settings = parseHealth('health', { interval: '10s', timeout: '1s', ...options })
  if (settings === undefined) throw new Error('no settings')
  const asked: string[] = []
  let atOnce = 0
  const most = { atOnce: 0 }
  const checks = startHealthChecks(
    pool,
    settings,
    async ({ id }, signal) => {
      asked.push(id)
      atOnce += 1
      most.atOnce = Math.max(most.atOnce, atOnce)
      try {
        const verdict = verdicts.get(id) ?? 'well'
        if (verdict === 'sick') throw new Error('status 500')
        if (verdict === 'drain' || verdict === 'not-found') return verdict
        if (verdict === 'silent')
          await new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(new Error('aborted')))
          })
        return undefined
      } finally {
        atOnce -= 1
      }
    },
    () => 0.5,
  )
  closers.push(() => checks.close())
  return { pool, asked, verdicts, most, checks }
}

export function healthy(pool: LivePool): string {
  return pool.backends.flatMap(view => (view.healthy ? view.backend.id : [])).join('')
}

export const pass = async (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms)

/** Fake timers for each test of a file. After it the checks are closed, and no timer is left. */
export function useCheckTimers(): void {
  useFakeTimers()
  // Of two, the later one runs first.
  afterEach(async () => {
    for (const close of closers.splice(0)) close()
    // A probe that is called off ends a moment later.
    await pass(0)
  })
}

import { describe, expect, it } from 'vitest'
import { LivePool } from '../pool/live-pool.ts'
import { startHealthChecks } from './health-checks.ts'
import { type HealthOptions, parseHealth } from './health-options.ts'
import { closers, pass, useCheckTimers } from './checked-pool.fixture.ts'

useCheckTimers()

describe('checks of many backends', () => {
  const COUNT = 300

  /** Checks that take 5 ms each, and when each was made. */
  function startMany(options: HealthOptions, isWell = true) {
    const pool = new LivePool(
      'p',
      Array.from({ length: COUNT }, (_, n) => ({ id: `b${n}`, url: `http://b${n}.test` })),
    )
    const settings = parseHealth('health', { interval: '10s', timeout: '1s', ...options })
    if (settings === undefined) throw new Error('no settings')
    const startMs = performance.now()
    const madeMs: number[] = []
    const asked = new Set<string>()
    const most = { atOnce: 0 }
    let atOnce = 0
    const checks = startHealthChecks(pool, settings, async ({ id }, signal) => {
      madeMs.push(performance.now() - startMs)
      asked.add(id)
      atOnce += 1
      most.atOnce = Math.max(most.atOnce, atOnce)
      await new Promise(resolve => {
        const timer = setTimeout(resolve, 5)
        signal.addEventListener('abort', () => {
          clearTimeout(timer)
          resolve(undefined)
        })
      })
      atOnce -= 1
      if (!isWell) throw new Error('status 500')
    })
    closers.push(() => checks.close())
    return { pool, asked, madeMs, most }
  }

  it('are not made at one moment where all are down at first', async () => {
    const { asked, madeMs, most } = startMany({ initial: 'down' }, false)
    await pass(0)
    expect(asked.size).toBe(32)
    await pass(5_000)
    expect(asked.size).toBeGreaterThan(COUNT / 2)
    await pass(5_000)
    expect(asked.size).toBe(COUNT)
    expect(most.atOnce).toBeLessThanOrEqual(34)
    expect(madeMs.filter(ms => ms === 0)).toHaveLength(32)
  })

  it('are few at a time where one is up again and the others are asked', async () => {
    const { pool, most } = startMany({ initial: 'down' })
    await pass(250)
    expect(pool.backends.filter(view => view.healthy)).toHaveLength(COUNT)
    expect(most.atOnce).toBeLessThanOrEqual(66)
  })

  it('are spread over the interval where all are up at first', async () => {
    const { madeMs, asked } = startMany({})
    await pass(10_000)
    expect(asked.size).toBe(COUNT)
    const inTenths = Array.from(
      { length: 10 },
      (_, n) => madeMs.filter(ms => Math.floor(ms / 1_000) === n).length,
    )
    expect(Math.min(...inTenths)).toBeGreaterThan(5)
    expect(Math.max(...inTenths)).toBeLessThan(80)
  })
})

import { once } from 'node:events'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import type { AdminState } from '../pool/backend.ts'
import { LivePool } from '../pool/live-pool.ts'
import { startHealthChecks } from './health-checks.ts'
import { parseHealth } from './health-options.ts'
import { checked, closers, healthy, pass, type Verdict, useCheckTimers } from './checked-pool.fixture.ts'

/** The expected health of backends, computed from the results of their checks alone. */
class Model {
  readonly verdicts = new Map<string, Verdict>()
  probes = 0
  readonly #fall: number
  readonly #rise: number
  readonly #isUpAtFirst: boolean
  readonly #serving = new Map<string, { isUp: boolean; needs: number; against: number; isAsked: boolean }>()

  constructor(fall: number, rise: number, isUpAtFirst: boolean) {
    this.#fall = fall
    this.#rise = rise
    this.#isUpAtFirst = isUpAtFirst
  }

  get up(): string {
    return [...this.#serving]
      .flatMap(([id, { isUp }]) => (isUp ? id : []))
      .toSorted()
      .join('')
  }

  begin(ids: string): void {
    const isUp = this.#isUpAtFirst
    for (const id of ids)
      this.#serving.set(id, { isUp, needs: isUp ? this.#fall : 1, against: 0, isAsked: false })
  }

  end(id: string): void {
    this.#serving.delete(id)
  }

  async probe(id: string, signal: AbortSignal): Promise<void> {
    const asked = this.#serving.get(id)
    // A backend out of service is not probed, and none is probed twice at a time.
    expect(asked?.isAsked).toBe(false)
    if (asked === undefined) return
    this.probes += 1
    asked.isAsked = true
    const verdict = this.verdicts.get(id) ?? 'well'
    if (verdict === 'silent') await once(signal, 'abort')
    asked.isAsked = false
    asked.against = (verdict === 'well') === asked.isUp ? 0 : asked.against + 1
    if (asked.against === asked.needs) {
      asked.isUp = !asked.isUp
      asked.needs = asked.isUp ? this.#fall : this.#rise
      asked.against = 0
    }
    if (verdict !== 'well') throw new Error(verdict)
  }
}

useCheckTimers()

describe('health checks after an outage, and their events', () => {
  it('after an outage of all, bring recovered backends back together, so that no session moves to the first', async () => {
    const { pool, verdicts } = checked('abcd', { rise: 2, fall: 1 })
    const seen: string[] = []
    const note = (): void => void seen.push(healthy(pool))
    await pass(5_000)
    for (const id of 'abcd') verdicts.set(id, 'sick')
    await pass(10_000)
    expect(healthy(pool)).toBe('')
    for (const id of 'abd') verdicts.set(id, 'well')
    verdicts.set('c', 'silent')
    await pass(10_000)
    const setHealthy = pool.setHealthy.bind(pool)
    vi.spyOn(pool, 'setHealthy').mockImplementation((...found) => {
      setHealthy(...found)
      queueMicrotask(note)
    })
    await pass(10_000)
    await pass(250)
    expect(healthy(pool)).toBe('abd')
    expect(new Set(seen)).toEqual(new Set(['abd']))
    verdicts.set('c', 'well')
    await pass(30_000)
    expect(healthy(pool)).toBe('abcd')
  })

  it.each<[string, (pool: LivePool) => void]>([
    ['in maintenance', pool => pool.setState('z', 'maint')],
    ['of weight 0', pool => pool.setWeight('z', 0)],
  ])('see an outage of all in spite of one %s', async (_what, command) => {
    const { pool, verdicts } = checked('abz', { rise: 2, fall: 1 })
    command(pool)
    await pass(5_000)
    for (const id of 'ab') verdicts.set(id, 'sick')
    await pass(10_000)
    expect(healthy(pool)).toBe('z')
    // The second is a check behind the first.
    verdicts.set('a', 'well')
    await pass(10_000)
    verdicts.set('b', 'well')
    await pass(10_000)
    expect(healthy(pool)).toBe('abz')
  })

  it('do not bring back one that has failed while it waited for the others', async () => {
    const { pool, verdicts } = checked('ab', { interval: '100ms', rise: 1, fall: 1 })
    await pass(50)
    for (const id of 'ab') verdicts.set(id, 'silent')
    await pass(1_100)
    expect(healthy(pool)).toBe('')
    verdicts.set('a', 'well')
    const setHealthy = vi.spyOn(pool, 'setHealthy')
    // It is well once, and then never again, as one that crashes at the start.
    await pass(1)
    verdicts.set('a', 'sick')
    await pass(1_000)
    expect(setHealthy).not.toHaveBeenCalled()
  })

  it('say why in their events', async () => {
    const { pool, verdicts } = checked('a', { fall: 1 })
    const reasons: unknown[] = []
    vi.spyOn(pool, 'setHealthy').mockImplementation((...found) => void reasons.push(found))
    await pass(5_000)
    verdicts.set('a', 'silent')
    await pass(11_000)
    expect(reasons).toEqual([['a', false, 'no response within 1000 ms']])
  })

  it('come to the same as counting does, whatever is found', async () => {
    const results = fc.array(fc.constantFrom<Verdict>('well', 'sick', 'silent'), { maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(
        results,
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 4 }),
        async (all, fall, rise) => {
          const { pool, verdicts, checks } = checked('a', { fall, rise })
          await pass(4_999)
          let isUp = true
          let against = 0
          for (const verdict of all) {
            verdicts.set('a', verdict)
            // A silent one is known a second later, and the next is asked an interval after the last.
            await pass(1)
            await pass(1_000)
            against = (verdict === 'well') === isUp ? 0 : against + 1
            if (against === (isUp ? fall : rise)) {
              isUp = !isUp
              against = 0
            }
            expect(healthy(pool)).toBe(isUp ? 'a' : '')
            await pass(8_999)
          }
          checks.close()
        },
      ),
      { numRuns: 50 },
    )
  })
})

describe('health checks, whatever becomes of their backends', () => {
  const act = fc.tuple(
    fc.constantFrom('a', 'b', 'c'),
    fc.constantFrom<Verdict | AdminState | 'remove' | 'add'>(
      ...(['well', 'sick', 'silent', 'ready', 'drain', 'maint', 'remove', 'add'] as const),
    ),
    fc.integer({ min: 0, max: 4_000 }),
  )

  it('count the results of backends in service, and no others', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(act, { maxLength: 60 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 3 }),
        fc.constantFrom('up' as const, 'down' as const),
        async (acts, fall, rise, initial) => {
          const model = new Model(fall, rise, initial === 'up')
          // The last backend always passes, so that no backend waits for a roll call.
          const pool = new LivePool(
            'p',
            Array.from('abcz', id => ({ id, url: `http://${id}.test` })),
          )
          const settings = parseHealth('health', { interval: '2s', timeout: '1s', fall, rise, initial })
          if (settings === undefined) throw new Error('no settings')
          model.begin('abcz')
          const checks = startHealthChecks(pool, settings, async ({ id }, signal) => model.probe(id, signal))
          closers.push(() => checks.close())
          await pass(2_200)
          for (const [id, what, ms] of acts) {
            if (what === 'well' || what === 'sick' || what === 'silent') model.verdicts.set(id, what)
            else if (what === 'remove') {
              if (pool.remove(id)) model.end(id)
            } else if (what === 'add') {
              if (pool.find(id) !== undefined) continue
              pool.add({ id, url: `http://${id}.test` })
              model.begin(id)
            } else if (pool.find(id) !== undefined) {
              if (what === 'maint') model.end(id)
              else if (pool.find(id)?.state === 'maint') model.begin(id)
              pool.setState(id, what)
            }
            await pass(ms)
            const serving = pool.backends.filter(({ state }) => state !== 'maint')
            expect(
              serving
                .flatMap(view => (view.healthy ? view.backend.id : []))
                .toSorted()
                .join(''),
            ).toBe(model.up)
          }
          checks.close()
          const { probes } = model
          await pass(10_000)
          expect(model.probes).toBe(probes)
        },
      ),
      { numRuns: 150 },
    )
  })
})

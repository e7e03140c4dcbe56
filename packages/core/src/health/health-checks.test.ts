import { once } from 'node:events'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { AdminState } from '../pool/backend.ts'
import type { HealthChangedEvent } from '../diagnostics.ts'
import { LivePool } from '../pool/live-pool.ts'
import { startHealthChecks } from './health-checks.ts'
import { type HealthOptions, parseHealth } from './health-options.ts'

type Verdict = 'well' | 'sick' | 'silent'

const closers: (() => void)[] = []

/** A pool whose backends respond to checks as `verdicts` says. */
function checked(
  ids: string,
  options: HealthOptions = {},
  verdicts = new Map<string, Verdict>(),
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
        if (verdict === 'silent')
          await new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(new Error('aborted')))
          })
      } finally {
        atOnce -= 1
      }
    },
    () => 0.5,
  )
  closers.push(() => checks.close())
  return { pool, asked, verdicts, most, checks }
}

function healthy(pool: LivePool): string {
  return pool.backends.flatMap(view => (view.healthy ? view.backend.id : [])).join('')
}

const pass = async (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms)

beforeEach(() => {
  vi.useFakeTimers()
  return () => void vi.useRealTimers()
})
afterEach(async () => {
  for (const close of closers.splice(0)) close()
  // A probe that is called off ends a moment later.
  await pass(0)
  expect(vi.getTimerCount()).toBe(0)
})

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

describe('health checks', () => {
  it('find a backend down after `fall` failures in a row, and up after `rise` successes', async () => {
    const { pool, verdicts } = checked('ab', { fall: 3, rise: 2 })
    await pass(5_000)
    verdicts.set('a', 'sick')
    await pass(20_000)
    expect(healthy(pool)).toBe('ab')
    await pass(10_000)
    expect(healthy(pool)).toBe('b')
    verdicts.set('a', 'well')
    await pass(10_000)
    expect(healthy(pool)).toBe('b')
    await pass(10_000)
    expect(healthy(pool)).toBe('ab')
  })

  it('are as sure of one that says nothing: within interval × fall + timeout', async () => {
    const { pool, verdicts, most } = checked('a', { fall: 3 })
    await pass(5_000)
    verdicts.set('a', 'silent')
    await pass(10_000 * 3 + 999)
    expect(healthy(pool)).toBe('a')
    await pass(1)
    expect(healthy(pool)).toBe('')
    expect(most.atOnce).toBe(1)
  })

  it.each([400, 3_600_000])(
    'find nothing when their own process was starved for %i ms, and check again',
    async stoodMs => {
      const { pool, verdicts, asked } = checked('a', { fall: 1 })
      verdicts.set('a', 'silent')
      await pass(5_000)
      // The timer is that late: fake ones never are.
      const now = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 1_000 + stoodMs)
      await pass(1_000)
      now.mockRestore()
      await pass(1_500)
      expect([healthy(pool), asked.length]).toEqual(['a', 1])
      await pass(20_000)
      expect([healthy(pool), asked.length > 1]).toEqual(['', true])
    },
  )

  it.each(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'ENOMEM'])(
    'find nothing when their own process has no resources: %s',
    async code => {
      const pool = new LivePool('p', [{ id: 'a', url: 'http://a.test' }])
      const settings = parseHealth('health', { interval: '1s', timeout: '1s', fall: 1 })
      if (settings === undefined) throw new Error('no settings')
      let probes = 0
      const checks = startHealthChecks(pool, settings, async () => {
        probes += 1
        throw Object.assign(new Error(`connect ${code}`), { code })
      })
      closers.push(() => checks.close())
      await pass(10_000)
      expect([healthy(pool), probes > 5]).toEqual(['a', true])
    },
  )

  it('have one probe at a time, however long it takes [T-55]', async () => {
    const { verdicts, most, asked } = checked('a', { interval: '10ms', timeout: '5s' })
    verdicts.set('a', 'silent')
    await pass(20_000)
    expect(asked).toHaveLength(4)
    expect(most.atOnce).toBe(1)
  })

  it('are spread over the first interval, and come in its rhythm', async () => {
    const { asked } = checked('ab')
    await pass(4_999)
    expect(asked).toEqual([])
    await pass(1)
    expect(asked).toEqual(['a', 'b'])
    await pass(30_000)
    expect(asked).toHaveLength(8)
  })

  it('take a backend for down until it is proven up, where that is asked for', async () => {
    const verdicts = new Map<string, Verdict>([['b', 'sick']])
    const { pool } = checked('ab', { initial: 'down', rise: 3 }, verdicts)
    expect(healthy(pool)).toBe('')
    await pass(0)
    expect(healthy(pool)).toBe('a')
    verdicts.set('b', 'well')
    await pass(10_000)
    expect(healthy(pool)).toBe('ab')
    pool.add({ id: 'c', url: 'http://c.test' })
    expect(healthy(pool)).toBe('ab')
    await pass(0)
    expect(healthy(pool)).toBe('abc')
  })

  it('continue from the results of earlier checks', async () => {
    const before = checked('ab', { fall: 1 }, new Map([['a', 'sick']]))
    await pass(5_000)
    expect(healthy(before.pool)).toBe('b')
    before.checks.close()
    const pool = new LivePool('p', [])
    pool.takeOver(before.pool)
    const told: unknown[] = []
    const listener = (event: unknown): void => void told.push(event)
    subscribe('limpet:health-changed', listener)
    onTestFinished(() => void unsubscribe('limpet:health-changed', listener))
    // Whatever they begin with where nothing is known.
    const { asked } = checked('', { initial: 'down', rise: 2 }, new Map(), pool)
    expect([healthy(pool), told]).toEqual(['b', []])
    await pass(0)
    // A backend that is down is probed first.
    expect([healthy(pool), asked]).toEqual(['b', ['a']])
    await pass(10_000)
    expect(healthy(pool)).toBe('ab')
  })

  it('follow the membership: one with another url is another', async () => {
    const { pool, verdicts, asked } = checked('a')
    verdicts.set('a', 'silent')
    await pass(5_000)
    pool.replace([{ id: 'a', url: 'http://other.test' }])
    pool.add({ id: 'b', url: 'http://b.test' })
    pool.remove('b')
    verdicts.set('a', 'well')
    asked.length = 0
    await pass(25_000)
    expect(asked).toEqual(['a', 'a', 'a'])
    expect(healthy(pool)).toBe('a')
  })

  it.each(['up', 'down'] as const)(
    'skip backends in maintenance, and start over when one comes back: %s',
    async initial => {
      const { pool, verdicts, asked } = checked('ab', { initial, fall: 1 })
      await pass(5_000)
      verdicts.set('a', 'sick')
      await pass(10_000)
      expect(healthy(pool)).toBe('b')
      pool.setState('a', 'maint')
      await pass(10_000)
      expect(healthy(pool)).toBe(initial === 'up' ? 'ab' : 'b')
      asked.length = 0
      await pass(30_000)
      expect(asked).not.toContain('a')
      verdicts.set('a', 'well')
      pool.setState('a', 'ready')
      await pass(10_000)
      expect(healthy(pool)).toBe('ab')
      expect(asked).toContain('a')
    },
  )

  it.each(['up', 'down'] as const)('begin anew after maintenance, however short: %s', async initial => {
    const { pool, verdicts, asked } = checked('abz', { initial, fall: 1, rise: 3 })
    await pass(5_000)
    verdicts.set('a', 'sick')
    await pass(10_000)
    expect(healthy(pool)).toBe('bz')
    for (const id of 'ab') {
      pool.setState(id, 'maint')
      verdicts.set(id, 'well')
      pool.setState(id, 'ready')
    }
    expect(healthy(pool)).toBe(initial === 'up' ? 'abz' : 'z')
    asked.length = 0
    await pass(initial === 'up' ? 5_000 : 0)
    expect(asked).toContain('a')
    expect(healthy(pool)).toBe('abz')
  })

  it('ignore failures of a backend during its maintenance', async () => {
    const { pool, verdicts } = checked('ab', { fall: 1 })
    verdicts.set('a', 'silent')
    await pass(5_500)
    pool.setState('a', 'maint')
    verdicts.set('a', 'well')
    await pass(100)
    pool.setState('a', 'ready')
    await pass(1_000)
    expect(healthy(pool)).toBe('ab')
  })

  it('continue in order when a listener to an event changes the pool', async () => {
    const name = 'limpet:health-changed'
    const { pool, asked, checks } = checked('ab', { initial: 'down', interval: '1s' })
    function replaceSick({ backend, healthy: isUp }: HealthChangedEvent): void {
      if (isUp || backend !== 'c') return
      pool.remove('d')
      pool.add({ id: 'e', url: 'http://e.test' })
    }
    const listener = (event: unknown): void => replaceSick(event as HealthChangedEvent)
    subscribe(name, listener)
    onTestFinished(() => void unsubscribe(name, listener))
    pool.replace(Array.from('abcd', id => ({ id, url: `http://${id}.test` })))
    await pass(0)
    expect(asked).toEqual(['a', 'b', 'c', 'e'])
    expect(healthy(pool)).toBe('abce')
    checks.close()
    await pass(10_000)
    expect(asked).toHaveLength(4)
  })

  it('end when they are closed, in the middle of a probe too', async () => {
    const { pool, verdicts, asked, checks } = checked('ab')
    verdicts.set('a', 'silent')
    await pass(5_000)
    checks.close()
    checks.close()
    await pass(100_000)
    expect(asked).toEqual(['a', 'b'])
    pool.add({ id: 'c', url: 'http://c.test' })
    await pass(100_000)
    expect(asked).toEqual(['a', 'b'])
  })

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

describe('the options of health checks', () => {
  it.each<[HealthOptions, string]>([
    [{ path: 'health' }, 'health.path'],
    [{ path: '/a b' }, 'health.path'],
    [{ method: 'G T' }, 'health.method'],
    [{ headers: { 'a b': 'c' } }, 'health.headers.(a key of 3 characters)'],
    [{ headers: { Connection: 'close' } }, 'health.headers.Connection'],
    [{ headers: { a: 'b\r\nc: d' } }, 'health.headers.a'],
    [{ headers: [] as object as Record<string, string> }, 'health.headers'],
    [{ interval: 9 }, 'health.interval'],
    [{ interval: '25h' }, 'health.interval'],
    [{ timeout: 0 }, 'health.timeout'],
    [{ fall: 0 }, 'health.fall'],
    [{ rise: 1.5 }, 'health.rise'],
    [{ expect: 100 }, 'health.expect'],
    [{ expect: [] }, 'health.expect'],
    [{ expect: [200, '2x'] }, 'health.expect[1]'],
    [{ body: '' }, 'health.body'],
    [{ body: 'ready', method: 'HEAD' }, 'health.body'],
    [{ method: 'connect' }, 'health.method'],
    [{ initial: 'maybe' as 'up' }, 'health.initial'],
    [{ port: 80 } as object, 'health.port'],
  ])('%j is refused', (options, option) => {
    expect(() => parseHealth('health', options)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OPTION', option }) as Error,
    )
  })

  it('expect a text of a body that fits into the part that is read', () => {
    expect(parseHealth('health', { body: 'é'.repeat(32_768) })?.body).toHaveLength(32_768)
    expect(() => parseHealth('health', { body: 'é'.repeat(32_769) })).toThrow('health.body')
  })

  it.each<[HealthOptions['expect'], number[], number[]]>([
    [undefined, [200, 204, 299], [301, 404, 500]],
    [204, [204], [200]],
    ['3xx', [301, 302], [200, 400]],
    [
      [200, '4xx'],
      [200, 404],
      [201, 302],
    ],
  ])('expect %j takes %j and not %j', (expected, good, bad) => {
    const settings = parseHealth('health', expected === undefined ? {} : { expect: expected })
    expect(good.filter(status => settings?.isExpected(status) === false)).toEqual([])
    expect(bad.filter(status => settings?.isExpected(status) === true)).toEqual([])
  })
})

import fc from 'fast-check'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { OptionError } from '../../options/option.ts'
import { keyedHash } from '../../signing/keyed-hash.ts'
import { Interned } from './interned.ts'
import { MemoryStore } from './memory-store.ts'
import { HASH_KEY, LONG, storeOf } from './memory-store.fixture.ts'

/** Two keys of which the first 32 bits of the hash are the same. */
function halfTheSame(): readonly string[] {
  const hash = keyedHash(HASH_KEY)
  const out = new Uint32Array(2)
  const seen = new Map<number, string>()
  for (let number = 0; ; number += 1) {
    const key = `session-${number}`
    hash(key, out)
    const [low = 0] = out
    const other = seen.get(low)
    if (other !== undefined) return [other, key]
    seen.set(low, key)
  }
}

/** The same rules, with a Map and two arrays: the last used comes last. */
class Model {
  readonly entries = new Map<string, { id: string; untilMs: number }>()
  readonly probation: string[] = []
  readonly safe: string[] = []
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  get(key: string, nowMs: number): string | undefined {
    const entry = this.entries.get(key)
    if (entry === undefined) return undefined
    if (nowMs >= entry.untilMs) {
      this.delete(key)
      return undefined
    }
    this.#touch(key)
    return entry.id
  }

  set(key: string, id: string, nowMs: number, ttlMs: number): void {
    if (this.entries.has(key)) {
      this.#touch(key)
    } else {
      if (this.entries.size === this.#most) this.#evict(nowMs)
      this.probation.push(key)
    }
    this.entries.set(key, { id, untilMs: Math.ceil((nowMs + ttlMs) / 100) * 100 })
  }

  delete(key: string): void {
    this.entries.delete(key)
    for (const list of [this.probation, this.safe]) if (list.includes(key)) list.splice(list.indexOf(key), 1)
  }

  #touch(key: string): void {
    for (const list of [this.probation, this.safe]) if (list.includes(key)) list.splice(list.indexOf(key), 1)
    this.safe.push(key)
    if (this.safe.length > this.#most * 0.8) this.probation.push(this.safe.shift() ?? '')
  }

  #evict(nowMs: number): void {
    const [oldest = ''] = this.safe
    const isOver = this.safe.length > 0 && nowMs >= (this.entries.get(oldest)?.untilMs ?? 0)
    this.delete(this.probation.length === 0 || isOver ? oldest : (this.probation[0] ?? ''))
  }
}

describe('the memory store', () => {
  it('remembers the backend of a session until its time is over', () => {
    const clock = { ms: 0 }
    const store = storeOf(10, clock)
    store.set('s', 'a', 5_000)
    clock.ms = 4_999
    expect([store.get('s'), store.get('other')]).toEqual(['a', undefined])
    clock.ms = 5_000
    expect([store.get('s'), store.size]).toEqual([undefined, 0])
  })

  it('counts the time from the last set, not from a get [LB102]', () => {
    const clock = { ms: 0 }
    const store = storeOf(10, clock)
    store.set('s', 'a', 1_000)
    clock.ms = 900
    store.get('s')
    clock.ms = 1_000
    expect(store.get('s')).toBeUndefined()
    store.set('s', 'b', 1_000)
    clock.ms = 1_900
    store.set('s', 'b', 1_000)
    clock.ms = 2_800
    expect(store.get('s')).toBe('b')
  })

  it('updates an entry only when less than enough is left of it, and returns the kind of change', () => {
    const clock = { ms: 0 }
    const store = storeOf(10, clock)
    const update = (id: string): string => store.update('s', id, 1_000, 900)
    expect([update('a'), update('a')]).toEqual(['news', 'kept'])
    clock.ms = 99
    expect(update('a')).toBe('kept')
    clock.ms = 100
    expect([update('a'), update('b'), update('b')]).toEqual(['renewed', 'news', 'kept'])
    clock.ms = 1_100
    expect([update('b'), store.get('s')]).toEqual(['news', 'b'])
  })

  it('renews an entry at its own backend, adds one that is not there, and leaves one of another backend', () => {
    const clock = { ms: 0 }
    const store = storeOf(10, clock)
    store.renew('s', 'a', 1_000)
    clock.ms = 900
    store.renew('s', 'a', 1_000)
    clock.ms = 1_800
    expect(store.get('s')).toBe('a')
    store.renew('s', 'b', 1_000)
    expect(store.get('s')).toBe('a')
    clock.ms = 1_900
    expect(store.get('s')).toBeUndefined()
    store.set('s', 'a', 1_000)
    clock.ms = 2_900
    store.renew('s', 'b', 1_000)
    expect(store.get('s')).toBe('b')
  })

  it('outlives a clock that is set back, and takes any time', () => {
    const clock = { ms: 1_000_000 }
    const store = storeOf(10, clock)
    clock.ms = 0
    store.set('s', 'a', 1_000)
    store.set('ever', 'a', Infinity)
    expect([store.get('s'), store.get('ever')]).toEqual(['a', 'a'])
    clock.ms = 1_001_000
    expect([store.get('s'), store.get('ever')]).toEqual([undefined, 'a'])
    store.set('never', 'a', Number.NaN)
    store.set('gone', 'a', -5_000)
    expect([store.get('never'), store.get('gone')]).toEqual([undefined, undefined])
  })

  it('forgets', () => {
    const store = storeOf(10)
    store.set('s', 'a', 1_000)
    store.delete('s')
    store.delete('s')
    expect([store.get('s'), store.size]).toEqual([undefined, 0])
  })

  it('does as its model does, whatever is asked of it', () => {
    const key = fc.integer({ min: 0, max: 14 }).map(number => `session-${number}`)
    const step = fc.oneof(
      fc.record({ do: fc.constant('get' as const), key }),
      fc.record({
        do: fc.constant('set' as const),
        key,
        id: fc.constantFrom('a', 'b', 'c'),
        ttlMs: fc.integer({ min: 1, max: 20_000 }),
      }),
      fc.record({ do: fc.constant('delete' as const), key }),
      fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 1_000 }) }),
    )
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 }), fc.array(step, LONG), (most, steps) => {
        const clock = { ms: 0 }
        const [store, model] = [storeOf(most, clock), new Model(most)]
        const seen: [unknown, unknown][] = []
        for (const taken of steps) {
          if (taken.do === 'wait') clock.ms += taken.ms
          if (taken.do === 'get') seen.push([store.get(taken.key), model.get(taken.key, clock.ms)])
          if (taken.do === 'delete') for (const one of [store, model]) one.delete(taken.key)
          if (taken.do === 'set') {
            store.set(taken.key, taken.id, taken.ttlMs)
            model.set(taken.key, taken.id, clock.ms, taken.ttlMs)
          }
          seen.push([store.size, model.entries.size])
        }
        expect(seen.map(([ours]) => ours)).toEqual(seen.map(([, models]) => models))
      }),
      { numRuns: 500 },
    )
  })

  it('keeps the sessions in use through a flood of new ones, and never holds more than it may [T-24]', () => {
    const store = storeOf(1_000)
    for (let number = 0; number < 500; number += 1) store.set(`used-${number}`, 'a', 60_000)
    for (let flood = 0; flood < 20_000; flood += 1) {
      // Each of those in use is asked for once in 500 new ones.
      store.get(`used-${flood % 500}`)
      store.set(`flood-${flood}`, 'b', 60_000)
      if (store.size > 1_000) throw new Error(`${store.size} sessions`)
    }
    const left = Array.from({ length: 500 }, (_, number) => store.get(`used-${number}`))
    expect(left.every(id => id === 'a')).toBe(true)
  })

  it('evicts expired entries first', () => {
    const clock = { ms: 0 }
    const store = storeOf(2, clock)
    store.set('old', 'a', 1_000)
    store.get('old')
    store.set('young', 'a', 60_000)
    clock.ms = 1_000
    store.set('new', 'a', 60_000)
    expect(['old', 'young', 'new'].map(key => store.get(key))).toEqual([undefined, 'a', 'a'])
  })

  it('distinguishes sessions with partly equal hashes', () => {
    const [one = '', other = ''] = halfTheSame()
    const store = storeOf(10)
    store.set(one, 'a', 1_000)
    expect(store.get(other)).toBeUndefined()
    store.set(other, 'b', 1_000)
    expect([store.get(one), store.get(other)]).toEqual(['a', 'b'])
    store.delete(one)
    expect([store.get(one), store.get(other)]).toEqual([undefined, 'b'])
  })

  it('holds a backend once for each session that is tied to it', () => {
    const [hold, release] = [vi.spyOn(Interned.prototype, 'hold'), vi.spyOn(Interned.prototype, 'release')]
    onTestFinished(() => {
      hold.mockRestore()
      release.mockRestore()
    })
    const clock = { ms: 0 }
    const store = storeOf(10, clock)
    const heldBySize = (): void => expect(hold.mock.calls.length - release.mock.calls.length).toBe(store.size)
    store.set('moves', 'a', 1_000)
    store.set('moves', 'b', 1_000)
    heldBySize()
    for (let number = 0; number < 30; number += 1) {
      store.set(`s-${number % 15}`, `backend-${number % 4}`, 1_000)
      heldBySize()
    }
    store.delete('s-14')
    heldBySize()
    clock.ms = 1_000
    expect([store.get('s-13'), store.size]).toEqual([undefined, 8])
    heldBySize()
  })

  it('knows many backends, and forgets those without sessions', () => {
    const store = storeOf(100)
    for (let number = 0; number < 10_000; number += 1)
      store.set(`s-${number % 50}`, `backend-${number}`, 60_000)
    expect(Array.from({ length: 50 }, (_, number) => store.get(`s-${number}`))).toEqual(
      Array.from({ length: 50 }, (_, number) => `backend-${9_950 + number}`),
    )
  })

  it('takes any text for a key', () => {
    const store = storeOf(1_000)
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), key => {
        store.set(key, '__proto__', 1_000)
        expect(store.get(key)).toBe('__proto__')
      }),
    )
  })

  it.each<[string, object]>([
    ['maxEntries', { maxEntries: 0 }],
    ['maxEntries', { maxEntries: 1.5 }],
    ['maxEntries', { maxEntries: 1e9 }],
    ['hashKey', { hashKey: new Uint8Array(8) }],
    ['now', { now: 5 }],
    ['size', { size: 5 }],
  ])('refuses a wrong %s: %j', (option, options) => {
    expect(() => new MemoryStore(options)).toThrow(
      expect.objectContaining({ name: OptionError.name, option }),
    )
  })
})

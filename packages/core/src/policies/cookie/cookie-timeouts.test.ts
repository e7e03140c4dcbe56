import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CookiePolicyOptions } from './cookie-options.ts'
import { HOUR, MINUTE, NEW, OLD, setUp, START } from './cookie-visits.fixture.ts'

describe('timeouts', () => {
  const both = { maxIdle: '30m', maxLife: '8h' } as const

  it('of idleness: renewed when a tenth is gone, and not before [LB063] [LB204]', () => {
    const { clock, told, cookieFor, ids } = setUp(both)
    const cookie = cookieFor('a')
    clock.ms += 3 * MINUTE - 1000
    expect(told(cookie)).toBeUndefined()
    clock.ms += 1000
    const renewed = told(cookie) ?? ''
    expect(ids(renewed)).toEqual(['a'])
    expect(renewed).not.toBe(cookie)
    clock.ms += 29 * MINUTE
    expect(ids(cookie)).toEqual([])
    expect(ids(renewed)).toEqual(['a'])
  })

  it('of idleness: a key that was last seen too long ago is expired [LB065]', () => {
    const { clock, kinds, cookieFor } = setUp(both)
    const cookie = cookieFor('a')
    clock.ms += 30 * MINUTE - 1000
    expect(kinds(cookie)).toEqual(['backend'])
    clock.ms += 1000
    expect(kinds(cookie)).toEqual(['expired'])
  })

  it('of a life: a key that was issued too long ago is expired, though it was seen just now [LB066] [LB115] [T-03]', () => {
    const { clock, told, kinds, cookieFor } = setUp(both)
    let cookie = cookieFor('a')
    for (let minute = 0; minute < 479; minute += 10) {
      clock.ms = START + minute * MINUTE
      expect(kinds(cookie)).toEqual(['backend'])
      cookie = told(cookie) ?? cookie
    }
    clock.ms = START + 8 * HOUR - 1000
    expect(kinds(cookie)).toEqual(['backend'])
    clock.ms += 1000
    expect(kinds(cookie)).toEqual(['expired'])
    const next = told(cookie) ?? ''
    expect(kinds(next)).toEqual(['backend'])
  })

  it('of a life: never stretched, however often and whenever a client comes', () => {
    const waits = fc.array(fc.integer({ min: 0, max: 40 * MINUTE }), { minLength: 1, maxLength: 60 })
    fc.assert(
      fc.property(waits, fc.constantFrom<CookiePolicyOptions>(both, { maxLife: '8h' }), (list, options) => {
        const { clock, told, kinds, cookieFor } = setUp({ ...options, secrets: [NEW, OLD] })
        let cookie = cookieFor('a')
        for (const wait of list) {
          clock.ms += wait
          const [kind] = kinds(cookie)
          expect(kind === 'backend' && clock.ms - START >= 8 * HOUR).toBe(false)
          if (kind !== 'backend') break
          cookie = told(cookie) ?? cookie
        }
      }),
      { numRuns: 200 },
    )
  })

  it('of a life: by default a day', () => {
    const { clock, kinds, cookieFor } = setUp()
    const cookie = cookieFor('a')
    clock.ms += 24 * HOUR - 1000
    expect(kinds(cookie)).toEqual(['backend'])
    clock.ms += 1000
    expect(kinds(cookie)).toEqual(['expired'])
  })

  it('can be off: the value has no date and holds for ever', () => {
    const { clock, kinds, told, cookieFor } = setUp({ maxLife: 0 })
    const cookie = cookieFor('a')
    expect(cookie.split('.')).toHaveLength(3)
    clock.ms += 10_000 * 24 * HOUR
    expect(kinds(cookie)).toEqual(['backend'])
    expect(told(cookie)).toBeUndefined()
  })

  it.each([
    ['23 hours ahead is of another clock [LB067]', 23 * HOUR, 'backend'],
    ['a day ahead is of another clock', 24 * HOUR, 'backend'],
    ['further ahead is of no clock', 24 * HOUR + 1000, 'invalid'],
    ['25 hours ahead is of no clock [LB068]', 25 * HOUR, 'invalid'],
  ])('a date %s', (_, ahead, expected) => {
    const { clock, kinds, cookieFor } = setUp(both)
    const cookie = cookieFor('a')
    clock.ms -= ahead
    expect(kinds(cookie)).toEqual([expected])
  })

  it('of a clock that is ahead are kept, and the browser gets at most the whole life', () => {
    const { clock, ids, told, cookieFor, lines } = setUp({ ...both, persistent: true })
    const cookie = cookieFor('a')
    clock.ms -= 20 * HOUR
    expect([ids(cookie), told(cookie)]).toEqual([['a'], undefined])
    const [line = ''] = lines(cookie, { by: 'b' })
    expect(line).toContain('; Max-Age=1800; ')
    clock.ms += 20 * HOUR + 4 * MINUTE
    expect(told(cookie), 'is renewed when its time has come').toBeDefined()
  })

  it.each<[string, CookiePolicyOptions, CookiePolicyOptions, number]>([
    ['a life', { maxLife: 0 }, { maxLife: '8h' }, 8 * HOUR],
    ['idleness', { maxLife: 0 }, { maxLife: 0, maxIdle: '30m' }, 30 * MINUTE],
    ['idleness, and has another date', { maxLife: '8h' }, both, 30 * MINUTE],
  ])('that a value lacks do not make it good for ever: %s [LB116]', (_, before, after, ms) => {
    const undated = setUp(before).cookieFor('b')
    const { clock, kinds, told } = setUp(after)
    clock.ms += ms - 1000
    expect(kinds(undated)).toEqual(['backend'])
    expect(told(undated), 'is replaced by a dated one').toBeDefined()
    clock.ms += 1000
    expect(kinds(undated)).toEqual(['expired'])
  })

  it('cannot be reset by leaving out the dates or writing others [LB069] [T-01]', () => {
    const { kinds, cookieFor } = setUp(both)
    const [version, tag, issued, seen, signature] = cookieFor('a').split('.')
    const forged = [
      [version, tag, signature],
      [version, tag, issued, signature],
      [version, tag, seen, signature],
      [version, tag, issued, 'zzzzzz', signature],
      [version, tag, '@@@@@', '@@@@@', signature],
    ].map(parts => parts.join('.'))
    expect(forged.flatMap(cookie => kinds(cookie))).toEqual(forged.map(() => 'invalid'))
  })

  it('that are turned off are taken out of the value [LB070]', () => {
    const { cookieFor } = setUp(both)
    const { told, ids } = setUp({ maxLife: 0 })
    const undated = told(cookieFor('b')) ?? ''
    expect(undated.split('.')).toHaveLength(3)
    expect(ids(undated)).toEqual(['b'])
    expect(told(undated)).toBeUndefined()
  })

  it.each<[string, CookiePolicyOptions, number]>([
    ['both', both, 5],
    ['a life', { maxLife: '8h' }, 4],
    ['idleness', { maxLife: 0, maxIdle: '30m' }, 5],
  ])('that are turned on are put into the value, and the session stays: %s [LB070]', (_, options, parts) => {
    const { cookieFor } = setUp({ maxLife: 0 })
    const { told, ids } = setUp(options)
    const dated = told(cookieFor('b')) ?? ''
    expect(dated.split('.')).toHaveLength(parts)
    expect(ids(dated)).toEqual(['b'])
    expect(told(dated)).toBeUndefined()
  })

  it('of a life count anew with a new backend, and not with the same', () => {
    const { clock, told, kinds, cookieFor } = setUp({ maxLife: '8h' })
    const cookie = cookieFor('a')
    clock.ms += 4 * HOUR
    const moved = told(cookie, { by: 'b' }) ?? ''
    clock.ms += 4 * HOUR
    expect(kinds(cookie)).toEqual(['expired'])
    expect(kinds(moved)).toEqual(['backend'])
  })

  it.each<[string, CookiePolicyOptions, number, number]>([
    ['the life', { maxLife: '8h' }, 0, 8 * 3600],
    ['the idle time when that is shorter', both, 0, 1800],
    ['what is left of the life [LB211]', both, 7.75 * HOUR, 900],
  ])(
    'of a persistent cookie: told to the browser as Max-Age and Expires, from %s',
    (_, options, age, expected) => {
      const { clock, lines, told, cookieFor } = setUp({ ...options, persistent: true })
      let cookie = cookieFor('a')
      while (clock.ms < START + age) {
        clock.ms = Math.min(clock.ms + 20 * MINUTE, START + age)
        if (clock.ms < START + age) cookie = told(cookie) ?? cookie
      }
      const [line = ''] = lines(age === 0 ? undefined : cookie)
      expect(line).toContain(`; Max-Age=${expected}; `)
      expect(line).toContain(`; Expires=${new Date(clock.ms + expected * 1000).toUTCString()}`)
    },
  )

  it('of other cookies end with the browser', () => {
    const [line] = setUp(both).lines(undefined)
    expect(line).not.toMatch(/Max-Age|Expires/)
  })
})

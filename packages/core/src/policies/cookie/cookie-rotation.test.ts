import { describe, expect, it } from 'vitest'
import type { CookiePolicyOptions } from './cookie-options.ts'
import { HOUR, NEW, OLD, setUp, START } from './cookie-visits.fixture.ts'

describe('rotation of secrets', () => {
  it('honours a key of the older secret and re-issues it with the newer [T-05]', () => {
    const before = setUp({ secrets: [OLD] }).cookieFor('b')
    const during = setUp({ secrets: [NEW, OLD] })
    const after = setUp({ secrets: [NEW] })
    expect(during.ids(before)).toEqual(['b'])
    const reissued = during.told(before) ?? ''
    expect(during.told(reissued)).toBeUndefined()
    expect(after.ids(reissued)).toEqual(['b'])
    expect(after.kinds(before)).toEqual(['invalid'])
  })

  it('keeps the date of issue [T-03] [T-05]', () => {
    const clock = { ms: START }
    const cookie = setUp({ secrets: [OLD], clock }).cookieFor('b')
    const { told, kinds } = setUp({ secrets: [NEW, OLD], clock })
    clock.ms += 23 * HOUR
    const reissued = told(cookie) ?? ''
    expect(kinds(reissued)).toEqual(['backend'])
    clock.ms += HOUR
    expect(kinds(reissued)).toEqual(['expired'])
  })

  it('signs with the first, so that other gateways need not know the second yet', () => {
    expect(setUp({ secrets: [OLD] }).ids(setUp({ secrets: [OLD, NEW] }).cookieFor('a'))).toEqual(['a'])
  })

  it('does not know a tag of one secret under the signature of another', () => {
    const oldTag = setUp({ secrets: [OLD] })
      .cookieFor('b')
      .split('.')[1]
    const newTag = setUp({ secrets: [NEW] })
      .cookieFor('b')
      .split('.')[1]
    expect(oldTag).not.toBe(newTag)
  })
})

describe('values of before', () => {
  it('are taken and re-issued as ours, once [LB198]', () => {
    const { ids, told } = setUp({ accept: ['raw'] })
    expect(ids('SERVERID=b')).toEqual(['b'])
    const ours = told('SERVERID=b') ?? ''
    expect(ours).toMatch(/^SERVERID=v1\./)
    expect(ids(ours)).toEqual(['b'])
    expect(told(ours)).toBeUndefined()
  })

  it('of HAProxy are taken with their dates [LB070]', () => {
    expect(setUp({ accept: ['haproxy'] }).ids('SERVERID=b|AAAAA|AAAAA')).toEqual(['b'])
  })

  it('that name no backend are like any other foreign value', () => {
    expect(setUp({ accept: ['raw'] }).kinds('SERVERID=zz')).toEqual(['invalid'])
  })

  it('are not a way round the end of a life', () => {
    const { clock, kinds, cookieFor } = setUp({ accept: ['raw', 'haproxy'] })
    const cookie = cookieFor('a')
    clock.ms += 24 * HOUR
    expect(kinds(cookie)).toEqual(['expired'])
  })

  it.each<[string, CookiePolicyOptions, CookiePolicyOptions]>([
    ['with ids in clear become opaque', { opaque: false }, { opaque: true }],
    ['with opaque tags become readable', { opaque: true }, { opaque: false }],
  ])('%s, and the session stays', (_, before, after) => {
    const cookie = setUp(before).cookieFor('b')
    const { ids, told } = setUp(after)
    expect(ids(cookie)).toEqual(['b'])
    const replaced = told(cookie) ?? ''
    expect(replaced.startsWith('SERVERID=v1.b.')).toBe(after.opaque === false)
    expect(ids(replaced)).toEqual(['b'])
    expect(told(replaced)).toBeUndefined()
  })
})

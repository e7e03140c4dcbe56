import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Affinity } from './affinity.ts'
import type { RequestHead } from './head.ts'
import { affinityOf, cookiesOf, errorOf, leaseOf, START, visit } from './affinity.fixture.ts'

const OTHER = 'another secret of more than thirty-two bytes'

const HOUR = 3_600_000

describe('a session', () => {
  it('returns to the same backend, however often [LB007] [LB153] [LB209]', () => {
    const affinity = affinityOf('abcd')
    const first = visit(affinity)
    expect(first).toMatchObject({ status: 'none' })
    expect(first.told).toBeDefined()
    const later = Array.from({ length: 60 }, () => visit(affinity, first.told))
    expect(new Set(later.map(({ backend }) => backend))).toEqual(new Set([first.backend]))
    expect(new Set(later.map(({ status }) => status))).toEqual(new Set(['matched']))
    expect(later.filter(({ told }) => told !== undefined)).toEqual([])
  })

  it('returns to its backend through any gateway that has the secret, and after a restart [LB004]', () => {
    const cookies = cookiesOf(affinityOf('abc'))
    const elsewhere = affinityOf('cba')
    expect(['a', 'b', 'c'].map(id => visit(elsewhere, cookies[id]))).toEqual(
      ['a', 'b', 'c'].map(backend => ({ backend, status: 'matched', told: undefined })),
    )
  })

  it('returns to its backend with a cookie in any place among duplicates and forgeries [LB010] [LB136] [LB167] [T-08]', () => {
    const affinity = affinityOf('abcd')
    const cookies = cookiesOf(affinity)
    expect(visit(affinity, `SERVERID=bad; ${cookies['c']}`)).toMatchObject({ backend: 'c', told: undefined })
    expect(visit(affinity, `${cookies['b']}; a=1; ${cookies['c']}`)).toMatchObject({
      backend: 'b',
      told: undefined,
    })
    expect(visit(affinity, `x=1; SERVERID="${cookies['d']?.slice(9)}"; SERVERID=`)).toMatchObject({
      backend: 'd',
    })
  })

  it('returns to the backend of the first usable cookie [LB010] [T-08]', () => {
    const affinity = affinityOf('abcd')
    const cookies = cookiesOf(affinity)
    affinity.pool.setHealthy('b', false)
    affinity.pool.remove('a')
    const several = `${cookies['a']}; ${cookies['b']}; ${cookies['d']}; ${cookies['c']}`
    expect(visit(affinity, several)).toMatchObject({ backend: 'd', status: 'matched' })
  })

  it('is placed by weight, and what is tied already does not count [LB091]', () => {
    const weights: Record<string, number> = { a: 1, b: 2, c: 3, d: 4 }
    const backends = Object.entries(weights).map(([id, weight]) => ({ id, weight, url: `http://${id}.test` }))
    const affinity = affinityOf('', { backends })
    const cookie = cookiesOf(affinity)['a']
    for (let n = 0; n < 100; n += 1) visit(affinity, cookie)
    const placed = Array.from({ length: 100 }, () => visit(affinity).backend)
    expect(['a', 'b', 'c', 'd'].map(id => placed.filter(one => one === id).length)).toEqual([10, 20, 30, 40])
  })

  it('is never tied by anything but a signature of ours, whatever the Cookie header', () => {
    const affinity = affinityOf('abc')
    const cookies = cookiesOf(affinity)
    const strangers = [
      ...Object.values(cookiesOf(affinityOf('abc', { secrets: [OTHER] }))),
      ...Object.values(cookiesOf(affinityOf('abc', { name: 'other' }))),
    ]
    const good = fc.constantFrom(...Object.values(cookies))
    const cut = fc.tuple(good, fc.nat(90)).map(([text, end]) => text.slice(0, end))
    const damaged = fc
      .tuple(good, fc.nat(90), fc.integer({ min: 0x20, max: 0xff }))
      .map(([text, at, code]) => text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1))
    const noise = fc.string({
      unit: fc.integer({ min: 0x20, max: 0xff }).map(c => String.fromCharCode(c)),
      maxLength: 99,
    })
    const part = fc.oneof(
      good,
      cut,
      damaged,
      fc.constantFrom(...strangers, 'SERVERID=a', 'SERVERID', 'a=1'),
      noise,
    )
    const header = fc
      .tuple(fc.array(part, { maxLength: 6 }), fc.constantFrom(';', '; '))
      .map(([list, by]) => list.join(by))
    fc.assert(
      fc.property(header, line => {
        const { backend, status } = visit(affinity, line)
        const presented = line.split(';').map(one => one.trim())
        expect(status).toMatch(/^(?:matched|none|invalid)$/)
        expect(status !== 'matched' || presented.includes(cookies[backend] ?? '')).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('the status of a request', () => {
  const expired = { now: () => START - 25 * HOUR }
  it.each<[string, string, (affinity: Affinity) => string | undefined, string]>([
    ['there is no key [LB175]', 'none', () => undefined, ''],
    ['there are only cookies of others [LB022]', 'none', () => 'XSERVERID=a; serverid=a', ''],
    ['it is garbage [LB079]', 'invalid', () => 'SERVERID=garbage', ''],
    ['it is an id in clear [T-02]', 'invalid', () => 'SERVERID=a', ''],
    ['it is another’s [T-04]', 'invalid', () => cookiesOf(affinityOf('ab', { secrets: [OTHER] }))['a'], ''],
    ['it is too old [LB066]', 'expired', () => cookiesOf(affinityOf('ab', expired))['a'], ''],
    ['its backend is gone [LB139] [LB177]', 'unknown', () => cookiesOf(affinityOf('xy'))['x'], ''],
    ['its backend is ill [LB154]', 'unavailable', affinity => cookiesOf(affinity)['a'], 'a'],
    ['its backend is well', 'matched', affinity => cookiesOf(affinity)['a'], ''],
  ])('when %s is "%s", and it is served', (_, status, cookie, ill) => {
    const affinity = affinityOf('ab')
    const line = cookie(affinity)
    if (ill !== '') affinity.pool.setHealthy(ill, false)
    const seen = visit(affinity, line)
    expect(seen.status).toBe(status)
    expect(seen.told === undefined).toBe(status === 'matched')
    expect(visit(affinity, seen.told ?? line)).toMatchObject({ backend: seen.backend, status: 'matched' })
  })

  it('of several keys that came to nothing is that of the one that came furthest', () => {
    const affinity = affinityOf('abc')
    const cookies = cookiesOf(affinity)
    affinity.pool.setHealthy('a', false)
    affinity.pool.remove('b')
    expect(visit(affinity, `SERVERID=x; ${cookies['b']}`).status).toBe('unknown')
    expect(visit(affinity, `${cookies['b']}; SERVERID=x`).status).toBe('unknown')
    expect(visit(affinity, `${cookies['a']}; ${cookies['b']}; SERVERID=x`).status).toBe('unavailable')
  })
})

describe('a message that must not be forwarded', () => {
  it.each<[string, Partial<RequestHead>, number]>([
    ['of an unknown version', { httpVersion: '0.9' }, 505],
    ['without a Host', { headers: {}, rawHeaders: [] }, 400],
    ['for a tunnel', { method: 'CONNECT' }, 501],
    ['with a backslash in its target', { url: String.raw`/\evil` }, 400],
  ])('%s is refused before a backend is chosen [T-30] [T-31] [T-32]', (_, facts, statusCode) => {
    const affinity = affinityOf('a')
    expect(errorOf(() => leaseOf(affinity, undefined, facts))).toMatchObject({
      code: 'ERR_REFUSED_REQUEST',
      statusCode,
    })
    expect(affinity.pool.find('a')).toMatchObject({ inFlight: 0, requests: 0 })
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Affinity, createAffinity } from './affinity.ts'
import type { AffinityOptions } from './affinity-options.ts'
import { isAffinityError } from './errors.ts'
import type { RequestHead } from './head.ts'
import type { Lease } from './lease.ts'
import type { AffinityPolicy, Claims } from './policies/policy.ts'

const SECRET = 'correct horse battery staple, and then some more'
const OTHER = 'another secret of more than thirty-two bytes'
const START = Date.UTC(2030, 0, 1)
const HOUR = 3_600_000

function request(cookie?: string, facts: Partial<RequestHead> = {}): RequestHead {
  const lines = cookie === undefined ? [] : ['Cookie', cookie]
  return {
    method: 'GET',
    url: '/',
    httpVersion: '1.1',
    rawHeaders: ['Host', 'web.test', ...lines],
    headers: cookie === undefined ? { host: 'web.test' } : { host: 'web.test', cookie },
    remoteAddress: '192.0.2.1',
    localPort: 80,
    encrypted: false,
    hasBody: false,
    ...facts,
  }
}

function affinityOf(ids: string, options: Partial<AffinityOptions> = {}): Affinity {
  const backends = Array.from(ids, id => ({ id, url: `http://${id}.test:80` }))
  return createAffinity({ backends, secrets: [SECRET], now: () => START, ...options })
}

function leaseOf(affinity: Affinity, cookie?: string, facts?: Partial<RequestHead>): Lease {
  const lease = affinity.select(request(cookie, facts))
  if (lease instanceof Promise) throw new Error('needs no promise')
  return lease
}

interface Seen {
  readonly backend: string
  readonly status: string
  /** The cookie that a browser would send next time, if it got one. */
  readonly told: string | undefined
}

function visit(affinity: Affinity, cookie?: string, facts?: Partial<RequestHead>): Seen {
  const lease = leaseOf(affinity, cookie, facts)
  const lines = [lease.responded({ statusCode: 200, headers: {} })['set-cookie'] ?? []].flat()
  lease.release()
  expect(lines.length).toBeLessThan(2)
  return { backend: lease.backend.id, status: lease.status, told: lines[0]?.split(';')[0] }
}

function errorOf(run: () => unknown): { code: string; statusCode: number } {
  try {
    run()
  } catch (error) {
    if (isAffinityError(error)) return error
    throw error
  }
  throw new Error('was served')
}

/** A good cookie for each backend, by its id. */
function cookiesOf(affinity: Affinity): Record<string, string> {
  const cookies: Record<string, string> = {}
  for (let n = 0; n < 10 * affinity.pool.backends.length; n += 1) {
    const { backend, told = '' } = visit(affinity)
    cookies[backend] = told
  }
  return cookies
}

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

describe('a backend that drains', () => {
  it('keeps its sessions and gets no new one [LB053] [LB093] [LB135] [LB144] [LB202]', () => {
    const affinity = affinityOf('abc')
    const cookie = cookiesOf(affinity)['a']
    affinity.pool.setState('a', 'drain')
    const tied = Array.from({ length: 4 }, () => visit(affinity, cookie))
    expect(tied).toEqual(
      Array.from({ length: 4 }, () => ({ backend: 'a', status: 'matched', told: undefined })),
    )
    const placed = Array.from({ length: 4 }, () => visit(affinity).backend)
    expect(placed.toSorted()).toEqual(['b', 'b', 'c', 'c'])
  })

  it('gets new ones when no other is left, rather than a 503 [LB145]', () => {
    const affinity = affinityOf('ab')
    affinity.pool.setState('a', 'drain')
    affinity.pool.setState('b', 'maint')
    expect(visit(affinity)).toMatchObject({ backend: 'a', status: 'none' })
  })
})

describe('a backend of weight 0', () => {
  it('keeps its sessions and gets no new one [LB055] [LB162]', () => {
    const affinity = affinityOf('ab')
    const cookie = cookiesOf(affinity)['a']
    affinity.pool.setWeight('a', 0)
    expect(visit(affinity, cookie)).toMatchObject({ backend: 'a', status: 'matched' })
    expect(new Set(Array.from({ length: 6 }, () => visit(affinity).backend))).toEqual(new Set(['b']))
  })

  it('is not chosen for a new client, though it is the last [LB055] [LB146]', () => {
    const affinity = affinityOf('a')
    const cookie = cookiesOf(affinity)['a']
    affinity.pool.setWeight('a', 0)
    expect(visit(affinity, cookie).backend).toBe('a')
    expect(errorOf(() => leaseOf(affinity))).toMatchObject({ code: 'ERR_NO_BACKEND', statusCode: 503 })
  })
})

describe('a backend that is down', () => {
  it('loses its sessions to another, and they do not come back with it [LB058] [LB154] [LB206]', () => {
    const affinity = affinityOf('ab')
    const cookie = cookiesOf(affinity)['a']
    affinity.pool.setHealthy('a', false)
    const moved = visit(affinity, cookie)
    expect(moved).toMatchObject({ backend: 'b', status: 'unavailable' })
    affinity.pool.setHealthy('a', true)
    expect(visit(affinity, moved.told)).toEqual({ backend: 'b', status: 'matched', told: undefined })
  })

  it('loses them in maintenance too, ill or not', () => {
    const affinity = affinityOf('ab')
    const cookie = cookiesOf(affinity)['a']
    affinity.pool.setState('a', 'maint')
    expect(visit(affinity, cookie)).toMatchObject({ backend: 'b', status: 'unavailable' })
  })

  it('keeps the session of a client that did not hear of the move', () => {
    const affinity = affinityOf('ab')
    const cookie = cookiesOf(affinity)['a']
    affinity.pool.setHealthy('a', false)
    leaseOf(affinity, cookie).release()
    affinity.pool.setHealthy('a', true)
    expect(visit(affinity, cookie)).toEqual({ backend: 'a', status: 'matched', told: undefined })
  })

  it('leaves the last that is well to all [LB160]', () => {
    const affinity = affinityOf('abcdefghi')
    const cookies = cookiesOf(affinity)
    for (const id of 'abcdefgh') affinity.pool.setHealthy(id, false)
    expect([undefined, cookies['a'], cookies['i']].map(cookie => visit(affinity, cookie).backend)).toEqual([
      'i',
      'i',
      'i',
    ])
  })

  it.each<[string, (affinity: Affinity) => void]>([
    ['when it was the only one [LB081] [LB150]', affinity => affinity.pool.setHealthy('a', false)],
    ['when the pool is empty [LB150] [LB178]', affinity => affinity.pool.remove('a')],
  ])('results in 503 for known and new clients, %s', (_, change) => {
    const affinity = affinityOf('a')
    const cookie = cookiesOf(affinity)['a']
    change(affinity)
    for (const line of [undefined, cookie, 'SERVERID=garbage']) {
      // An error has no response to set a cookie on [LB121] [T-18].
      expect(errorOf(() => leaseOf(affinity, line))).toMatchObject({
        code: 'ERR_NO_BACKEND',
        statusCode: 503,
      })
    }
  })
})

describe('onUnavailable: reject', () => {
  it('responds with 503 to a session whose backend is down, and keeps it [LB184] [LB200]', () => {
    const affinity = affinityOf('ab', { onUnavailable: 'reject' })
    const cookie = cookiesOf(affinity)['a']
    affinity.pool.setHealthy('a', false)
    expect(errorOf(() => leaseOf(affinity, cookie))).toMatchObject({
      code: 'ERR_NO_BACKEND',
      statusCode: 503,
    })
    affinity.pool.setHealthy('a', true)
    expect(visit(affinity, cookie)).toEqual({ backend: 'a', status: 'matched', told: undefined })
  })

  it.each<[string, (affinity: Affinity) => string | undefined]>([
    ['is new', () => undefined],
    ['has a forged key', () => 'SERVERID=garbage'],
    ['has a key of a backend that is gone', () => cookiesOf(affinityOf('xy'))['x']],
    [
      'has another key that can be used',
      affinity => `${cookiesOf(affinity)['a']}; ${cookiesOf(affinity)['b']}`,
    ],
  ])('places a session that %s as ever [LB200]', (_, cookie) => {
    const affinity = affinityOf('ab', { onUnavailable: 'reject' })
    const line = cookie(affinity)
    affinity.pool.setHealthy('a', false)
    expect(visit(affinity, line).backend).toBe('b')
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

describe('several policies', () => {
  function policy(
    name: string,
    claims: Claims | Promise<Claims> | (() => never | Promise<never>),
  ): AffinityPolicy {
    return {
      name,
      read: () => (typeof claims === 'function' ? claims() : claims),
      responded: ({ claim, matched, backend }, fields) => {
        fields[name] = `${claim.kind} ${matched} ${backend.id}`
      },
    }
  }
  const to = (id: string) => ({ kind: 'backend', id }) as const

  function responded(lease: Lease): Record<string, unknown> {
    return {
      backend: lease.backend.id,
      status: lease.status,
      ...lease.responded({ statusCode: 200, headers: {} }),
    }
  }

  it('are asked in order: the first that names a usable backend wins', () => {
    const affinity = affinityOf('abc', {
      affinity: [
        policy('one', { kind: 'expired' }),
        policy('two', [to('gone'), to('b'), to('a')]),
        policy('three', to('a')),
      ],
    })
    expect(responded(leaseOf(affinity))).toEqual({
      backend: 'b',
      status: 'matched',
      one: 'expired false b',
      two: 'backend true b',
      three: 'backend false b',
    })
  })

  it('each get their own claim when none is usable', () => {
    const affinity = affinityOf('abc', {
      affinity: [policy('one', []), policy('two', [to('gone'), { kind: 'invalid' }])],
    })
    const lease = leaseOf(affinity)
    const { one, two, status } = responded(lease)
    const { id } = lease.backend
    expect({ one, two, status }).toEqual({
      one: `none false ${id}`,
      two: `backend false ${id}`,
      status: 'unknown',
    })
  })

  it('of which none is there leave it to the balancer', () => {
    const affinity = affinityOf('ab', { affinity: [], secrets: [] })
    expect([visit(affinity), visit(affinity)]).toEqual([
      { backend: 'a', status: 'none', told: undefined },
      { backend: 'b', status: 'none', told: undefined },
    ])
  })

  it('may ask elsewhere: those behind are asked at once, and the order still decides', async () => {
    const affinity = affinityOf('abc', {
      affinity: [
        policy('one', { kind: 'none' }),
        policy('two', Promise.resolve(to('c'))),
        policy('three', to('a')),
        policy('four', Promise.resolve<Claims>([])),
      ],
    })
    const promise = affinity.select(request())
    expect(promise).toBeInstanceOf(Promise)
    expect(responded(await promise)).toEqual({
      backend: 'c',
      status: 'matched',
      one: 'none false c',
      two: 'backend true c',
      three: 'backend false c',
      four: 'none false c',
    })
  })

  it.each<[string, AffinityPolicy]>([
    ['elsewhere', policy('failing', () => Promise.reject(new Error('no store')))],
    [
      'at once',
      policy('failing', () => {
        throw new Error('no store')
      }),
    ],
  ])('that fail %s cost a session its backend, not its answer', async (_, failing) => {
    const alone = await affinityOf('a', { affinity: [failing] }).select(request())
    expect(responded(alone)).toEqual({ backend: 'a', status: 'none', failing: 'none false a' })
    const beside = await affinityOf('ab', { affinity: [failing, policy('well', to('b'))] }).select(request())
    expect(beside).toMatchObject({ backend: { id: 'b' }, status: 'matched' })
  })

  it('that cannot tell the client leave the others to tell theirs', () => {
    const failing: AffinityPolicy = {
      name: 'failing',
      read: () => ({ kind: 'none' }),
      write: () => {
        throw new Error('cannot write')
      },
    }
    const affinity = affinityOf('a', { affinity: [failing, policy('well', to('a'))] })
    expect(responded(leaseOf(affinity))).toEqual({ backend: 'a', status: 'matched', well: 'backend true a' })
  })

  it('that asked elsewhere decide by the pool as it is when they know', async () => {
    const affinity = affinityOf('ab', { affinity: [policy('one', Promise.resolve(to('a')))] })
    const promise = affinity.select(request())
    affinity.pool.setHealthy('a', false)
    expect(await promise).toMatchObject({ status: 'unavailable', backend: { id: 'b' } })
  })
})

describe('two pools of one site', () => {
  it('each keep their sessions by a name of their own [LB092]', () => {
    const [web, api] = ['web', 'api'].map(name =>
      affinityOf('ab', { name, affinity: [{ cookie: { name } }] }),
    )
    if (web === undefined || api === undefined) throw new Error('two')
    const [atWeb, atApi] = [visit(web), visit(api)]
    const both = `${atApi.told}; ${atWeb.told}`
    expect(atWeb.told).toMatch(/^web=/)
    expect(atApi.told).toMatch(/^api=/)
    expect(visit(web, both)).toMatchObject({ backend: atWeb.backend, status: 'matched' })
    expect(visit(api, both)).toMatchObject({ backend: atApi.backend, status: 'matched' })
  })

  it('do not take each other’s values [T-04]', () => {
    const [web, api] = ['web', 'api'].map(name => affinityOf('ab', { name }))
    if (web === undefined || api === undefined) throw new Error('two')
    expect(visit(api, visit(web).told).status).toBe('invalid')
  })
})

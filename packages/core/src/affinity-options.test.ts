import { describe, expect, it } from 'vitest'
import { createAffinity } from './affinity.ts'
import { AFFINITY_OPTION_KEYS, type AffinityOptions, parseAffinityOptions } from './affinity-options.ts'
import { OptionError } from './options/option.ts'
import type { AffinityPolicy } from './policies/policy.ts'
import { BACKENDS, LEAST, POLICY, REQUEST, SECRET } from './affinity-options.fixture.ts'

/** A Cookie line as a backend gets it. */
function forwardedCookie(options: AffinityOptions, line: string): string {
  const forward = parseAffinityOptions(options).forwarding.byName.get('cookie')
  return forward === undefined ? line : forward(line, REQUEST)
}

function errorOf(options: unknown): OptionError {
  try {
    createAffinity(options as AffinityOptions)
  } catch (error) {
    if (error instanceof OptionError) return error
    throw error
  }
  throw new Error('was accepted')
}

describe('the options of an affinity', () => {
  it('need backends and a secret, and nothing else', () => {
    const parsed = parseAffinityOptions(LEAST)
    expect(parsed).toMatchObject({ onUnavailable: 'redispatch', maxAttempts: 3, preserveHost: true })
    expect(parsed.pool.name).toBe('default')
    expect(parsed.balancer.name).toBe('round-robin')
    expect(parsed.policies.map(policy => policy.name)).toEqual(['cookie'])
    expect(parsed.cookies).toMatchObject([{ name: 'SERVERID', path: '/' }])
    expect(parsed.trusts('127.0.0.1')).toBe(false)
  })

  it('are taken as given', () => {
    const parsed = parseAffinityOptions({
      ...LEAST,
      name: 'web_1',
      affinity: [POLICY, { cookie: { name: 'one' } }, { cookie: { name: 'two' } }],
      balance: 'random-two',
      onUnavailable: 'reject',
      maxAttempts: 1,
      trustProxy: ['127.0.0.1'],
      host: 'backend',
      now: () => 7,
    })
    expect(parsed).toMatchObject({ onUnavailable: 'reject', maxAttempts: 1, preserveHost: false })
    expect(parsed.pool.name).toBe('web_1')
    expect(parsed.balancer.name).toBe('random-two')
    expect(parsed.policies[0]).toBe(POLICY)
    expect(parsed.cookies.map(cookie => cookie.name)).toEqual(['one', 'two'])
    expect(parsed.trusts('127.0.0.1')).toBe(true)
  })

  it.each(['round-robin', 'least-requests', 'random-two'] as const)('may name the balancer %s', balance => {
    expect(parseAffinityOptions({ ...LEAST, balance }).balancer.name).toBe(balance)
  })

  it('may bring a balancer', () => {
    const balance = { name: 'mine', pick: () => undefined }
    expect(parseAffinityOptions({ ...LEAST, balance }).balancer).toBe(balance)
  })

  it('need no secret where nothing is signed', () => {
    expect(parseAffinityOptions({ backends: BACKENDS, affinity: [] }).policies).toEqual([])
    expect(parseAffinityOptions({ backends: BACKENDS, affinity: [POLICY] }).policies).toEqual([POLICY])
  })

  it('may begin with no backend: members may come at run time', () => {
    const affinity = createAffinity({ backends: [], secrets: [SECRET] })
    affinity.pool.add({ id: 'a', url: 'http://a.test:80' })
    expect(affinity.pool.candidates).toHaveLength(1)
  })

  it.each<[string, Record<string, unknown>, string, string]>([
    ['backends that are missing', { backends: undefined }, 'backends', 'is missing'],
    ['backends that are no list', { backends: BACKENDS[0] }, 'backends', 'an object'],
    ['a malformed backend', { backends: [{ id: 'a', url: 'a' }] }, 'backends[0].url', '"a"'],
    ['an id that stands twice', { backends: [BACKENDS[0], BACKENDS[0]] }, 'backends[1].id', '"a"'],
    ['secrets that are missing [T-05]', { secrets: undefined }, 'secrets', 'randomBytes'],
    ['an empty name', { name: '' }, 'name', '1 to 64'],
    ['a name of two lines', { name: 'a\nb' }, 'name', '1 to 64'],
    ['a name with a slash, which would run into the cookie’s [T-04]', { name: 'a/b' }, 'name', '"a/b"'],
    ['null for a name', { name: null }, 'name', 'null'],
    ['an unknown balancer', { balance: 'sticky' }, 'balance', 'round-robin, least-requests, random-two'],
    ['a balancer that cannot pick', { balance: { name: 'x' } }, 'balance', 'an object'],
    ['null for a balancer', { balance: null }, 'balance', 'null'],
    ['an unknown failure policy [LB184]', { onUnavailable: 'drop' }, 'onUnavailable', 'redispatch, reject'],
    ['no attempt at all', { maxAttempts: 0 }, 'maxAttempts', 'from 1 to 100'],
    ['too many attempts', { maxAttempts: 101 }, 'maxAttempts', '101'],
    ['a word of trust', { trustProxy: 'loopback' }, 'trustProxy', '"loopback"'],
    ['trust in a name', { trustProxy: ['proxy.test'] }, 'trustProxy[0]', 'CIDR'],
    ['an unknown host', { host: 'a.test' }, 'host', 'preserve, backend'],
    ['a clock that is a number', { now: 7 }, 'now', 'a function'],
    ['policies that are no list', { affinity: { cookie: {} } }, 'affinity', 'a list of policies'],
    ['an unknown policy', { affinity: [{ header: {} }] }, 'affinity[0].header', 'known are cookie'],
    ['a policy that is none', { affinity: ['cookie'] }, 'affinity[0]', '"cookie"'],
    ['a policy that is missing', { affinity: [null] }, 'affinity[0]', 'null'],
    [
      'a wrong option of a cookie',
      { affinity: [POLICY, { cookie: { name: '' } }] },
      'affinity[1].cookie.name',
      'token',
    ],
    ['a misspelt key', { backend: [] }, 'backend', 'known are name, backends'],
  ])('are refused with %s', (_, wrong, option, says) => {
    const error = errorOf({ ...LEAST, ...wrong })
    expect(error).toMatchObject({ option, code: 'ERR_INVALID_OPTION' })
    expect(error.message).toContain(option)
    expect(error.message).toContain(says)
  })

  it('are refused with every problem at once, and one that several policies have is named once', () => {
    const error = errorOf({
      name: 'no name',
      backends: [{ id: 'a' }, { id: 'a', url: 'http://a.test', weight: 300, aliases: ['a'] }],
      secrets: ['short'],
      affinity: [{ cookie: { maxIdle: 'soon' } }, { prefix: { cookie: 'sid' } }, { learn: {} }],
      balance: { hash: 'ip', boundedLoad: 1 },
      passive: { fall: 0, statuses: [700] },
      retryBudjet: {},
      trustProxy: ['here', '10.0.0.0/99'],
      ignore: [{ path: 'a' }, {}],
    })
    expect(error.problems.map(({ option }) => option)).toEqual([
      'retryBudjet',
      'name',
      'backends[0].url',
      'backends[1].weight',
      'backends[1].id',
      'backends[1].aliases[0]',
      'passive.fall',
      'passive.statuses[0]',
      'trustProxy[0]',
      'trustProxy[1]',
      'ignore[0].path',
      'ignore[1]',
      'secrets[0]',
      'affinity[0].cookie.maxIdle',
      'affinity[2].learn',
      'balance.boundedLoad',
    ])
  })

  it.each([undefined, null, 'x', [], 7])('are not %j', value => {
    expect(errorOf(value).message).toContain('an object with name, backends')
  })

  it.each([
    [{ name: 'x' }, { name: 'x' }],
    [
      { name: 'x', path: '/a' },
      { name: 'x', path: '/a/b' },
    ],
    [{}, { path: '/a' }],
  ])('are refused when two cookies would overwrite each other: %j and %j [T-04]', (one, other) => {
    const error = errorOf({ ...LEAST, affinity: [{ cookie: one }, { cookie: other }] })
    expect(error.option).toBe('affinity[1].cookie.name')
  })

  it('may have two cookies of one name under paths that have nothing in common', () => {
    const affinity = [{ cookie: { path: '/a' } }, { cookie: { path: '/b' } }]
    expect(parseAffinityOptions({ ...LEAST, affinity }).cookies).toHaveLength(2)
  })

  it('are all listed, for an adapter that has options of its own', () => {
    const all: Required<AffinityOptions> = {
      name: 'x',
      backends: [],
      secrets: [],
      affinity: [],
      balance: 'round-robin',
      onUnavailable: 'reject',
      removedGrace: 0,
      maxAttempts: 1,
      retryOn: [503],
      retryBudget: {},
      passive: {},
      slowStart: 0,
      maxInFlight: 0,
      whenFull: 'overflow',
      maxQueue: 1,
      queueTimeout: 0,
      waitForBackend: 0,
      returnFromBackup: true,
      serverTiming: true,
      trustProxy: [],
      host: 'preserve',
      ignore: [],
      now: Date.now,
    }
    expect([...AFFINITY_OPTION_KEYS].toSorted()).toEqual(Object.keys(all).toSorted())
    expect(parseAffinityOptions(all).pool.name).toBe('x')
  })
})

describe('a Cookie line on its way to a backend', () => {
  const cookies = [{ cookie: { name: 'one' } }, { cookie: { name: 'two' } }]
  it.each<[string, AffinityOptions['affinity'], string, string]>([
    ['passes when there is no policy', [], 'one=1; two=2', 'one=1; two=2'],
    ['passes a policy that does not mind', [POLICY], 'one=1; two=2', 'one=1; two=2'],
    ['loses what one policy takes out', cookies.slice(0, 1), 'one=1; two=2', 'two=2'],
    ['loses what each of several takes out', cookies, 'one=1; a=1; two=2', 'a=1'],
    ['is gone when nothing is left', cookies, 'one=1; two=2', ''],
    [
      'is gone when the first leaves nothing',
      [...cookies, { ...POLICY, forwardHeaders: { cookie: () => 'back' } }],
      'one=1',
      '',
    ],
  ])('%s', (_, affinity, line, expected) => {
    const options = affinity === undefined ? LEAST : { ...LEAST, affinity }
    expect(forwardedCookie(options, line)).toBe(expected)
  })

  it('meets policies as methods of their own objects', () => {
    class Own implements AffinityPolicy {
      readonly name = 'own'
      readonly #word = 'mine'
      read() {
        return { kind: 'none' } as const
      }
      readonly forwardHeaders = { cookie: (line: string) => `${line}; ${this.#word}` }
    }
    expect(forwardedCookie({ ...LEAST, affinity: [new Own()] }, 'a=1')).toBe('a=1; mine')
  })
})

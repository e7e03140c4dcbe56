import { describe, expect, it } from 'vitest'
import { createAffinity } from '../affinity.ts'
import type { AffinityOptions } from '../affinity-options.ts'
import type { BalancerName, BalanceOptions } from './balancer-options.ts'
import { requestHead } from '../head.ts'
import type { Lease } from '../lease.ts'
import { OptionError } from '../options/option.ts'

const OLD = 'the oldest secret, and of more than thirty-two bytes'
const NEW = 'a newer secret that has more than thirty-two bytes'
const BACKENDS = Array.from({ length: 9 }, (_, n) => ({ id: `b${n}`, url: `http://b${n}.test:80` }))

/** Where 40 sessions go. */
function placement(options: Partial<AffinityOptions>): string {
  const affinity = createAffinity({
    backends: BACKENDS,
    affinity: [],
    balance: { hash: 'header:x-session' },
    ...options,
  })
  const ids = Array.from({ length: 40 }, (_, n) => {
    const headers = { host: 'a', 'x-session': `${n}` }
    const lease = affinity.select(
      requestHead({ method: 'GET', url: '/', httpVersion: '1.1', rawHeaders: [], headers, socket: {} }),
    ) as Lease
    return lease.backend.id
  })
  return ids.join(' ')
}

function errorOf(balance: unknown): OptionError {
  try {
    createAffinity({ backends: BACKENDS, affinity: [], balance: balance as BalanceOptions })
  } catch (error) {
    if (error instanceof OptionError) return error
    throw error
  }
  throw new Error('was accepted')
}

describe('balance', () => {
  it.each<BalancerName>(['round-robin', 'least-requests', 'random-two', 'random', 'first'])(
    'may be %s',
    balance => {
      expect(placement({ balance }).split(' ')).toHaveLength(40)
    },
  )

  it('may be a balancer', () => {
    expect(placement({ balance: { name: 'mine', pick: candidates => candidates[1] } })).toMatch(/^(b1 ?)+$/)
  })

  it.each<[string, unknown, string, string]>([
    [
      'a word that is none',
      'sticky',
      'balance',
      'one of round-robin, least-requests, random-two, random, first',
    ],
    ['a member of every object', 'constructor', 'balance', '"constructor"'],
    ['hash without its key', 'hash', 'balance', '{ hash }'],
    ['nothing', null, 'balance', 'null'],
    ['a list', ['ip'], 'balance', 'a list of 1'],
    ['a misspelt hash', { hahs: 'ip' }, 'balance', 'an object'],
    ['an unknown option', { hash: 'ip', prefix: 24 }, 'balance.prefix', 'known are hash, ipv4Prefix'],
    ['no key', { hash: undefined }, 'balance.hash', '"ip", "path", "header:NAME"'],
    ['no key in a list', { hash: [] }, 'balance.hash', 'a list of 0'],
    ['an unknown key', { hash: 'address' }, 'balance.hash', '"address"'],
    ['an unknown key in a list', { hash: ['ip', 'body:x'] }, 'balance.hash[1]', '"body:x"'],
    ['a list in a list', { hash: ['ip', ['path']] }, 'balance.hash[1]', 'a list of 1'],
    ['a field without a name', { hash: ['header:'] }, 'balance.hash[0]', 'token'],
    ['a name that is no token', { hash: 'cookie:a b' }, 'balance.hash', '"a b"'],
    ['a key that stands twice', { hash: ['ip', 'query:a', 'ip'] }, 'balance.hash[2]', 'twice'],
    ['a key that is never reached', { hash: ['path', 'ip'] }, 'balance.hash[1]', 'every request has a path'],
    ['no bits of IPv4', { hash: 'ip', ipv4Prefix: 0 }, 'balance.ipv4Prefix', 'from 1 to 32'],
    ['too many bits of IPv4', { hash: 'ip', ipv4Prefix: 33 }, 'balance.ipv4Prefix', '33'],
    ['too many bits of IPv6', { hash: ['ip'], ipv6Prefix: 129 }, 'balance.ipv6Prefix', 'from 1 to 128'],
    ['a prefix as a text', { hash: 'ip', ipv6Prefix: '64' }, 'balance.ipv6Prefix', '"64"'],
    ['a prefix of no address', { hash: 'path', ipv4Prefix: 24 }, 'balance.ipv4Prefix', 'no key is "ip"'],
    ['a bound below 1.05', { hash: 'ip', boundedLoad: 1 }, 'balance.boundedLoad', 'from 1.05'],
    ['a bound in percent', { hash: 'ip', boundedLoad: '125%' }, 'balance.boundedLoad', '"125%"'],
    ['a bound that is none', { hash: 'ip', boundedLoad: Number.NaN }, 'balance.boundedLoad', 'NaN'],
    ['an endless bound', { hash: 'ip', boundedLoad: Infinity }, 'balance.boundedLoad', 'Infinity'],
    ['a short seed', { hash: 'ip', seed: 'short' }, 'balance.seed', '5 bytes'],
    ['a seed that is an example’s', { hash: 'ip', seed: 'a'.repeat(40) }, 'balance.seed', 'few different'],
    ['a seed that is a number', { hash: 'ip', seed: 1 }, 'balance.seed', 'a string or bytes'],
  ])('is refused with %s', (_, balance, option, says) => {
    const error = errorOf(balance)
    expect(error).toMatchObject({ option, code: 'ERR_INVALID_OPTION' })
    expect(error.message).toContain(says)
  })

  it('does not show a seed that is refused', () => {
    expect(errorOf({ hash: 'ip', seed: 'hunter2' }).message).not.toContain('hunter2')
  })
})

describe('the key of a hash [T-21]', () => {
  it('is the oldest secret’s, so that a newer one moves no key', () => {
    expect(placement({ secrets: [NEW, OLD] })).toBe(placement({ secrets: [OLD] }))
    expect(placement({ secrets: [NEW] })).not.toBe(placement({ secrets: [OLD] }))
  })

  it('is the seed’s where there is one, whatever the secrets', () => {
    const balance = { hash: 'header:x-session', seed: OLD } as const
    expect(placement({ balance, secrets: [NEW] })).toBe(placement({ balance }))
    expect(placement({ balance })).toBe(placement({ secrets: [OLD] }))
  })

  it('is the same for a text and its bytes', () => {
    const balance = { hash: 'header:x-session', seed: Buffer.from(OLD) } as const
    expect(placement({ balance })).toBe(placement({ secrets: [OLD] }))
  })

  it('needs no secret', () => {
    expect(placement({})).toBe(placement({}))
    expect(placement({})).not.toBe(placement({ secrets: [OLD] }))
  })

  it('is another for a pool of another name', () => {
    expect(placement({ secrets: [OLD], name: 'shop' })).not.toBe(placement({ secrets: [OLD] }))
  })

  it('is not taken of secrets that are none', () => {
    expect(() => placement({ secrets: ['short'] })).toThrow('secrets[0]')
  })
})

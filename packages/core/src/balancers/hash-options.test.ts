import { expect, it } from 'vitest'
import { compileTrustProxy } from '../http/client.ts'
import { OptionError } from '../options/option.ts'
import { poolOf } from '../pool/pool.fixture.ts'
import { request } from '../request.fixture.ts'
import { parseHashOptions } from './hash-options.ts'

const SECRET = Buffer.from('a seed that is longer than thirty-two bytes')
const OTHER = 'another seed that is longer than thirty-two bytes'

function parsed(value: object, oldestSecret: () => Uint8Array | undefined = () => SECRET) {
  const context = {
    pool: poolOf('a'),
    trusts: compileTrustProxy('trustProxy', []),
    oldestSecret,
  }
  return parseHashOptions('balance', value, context)
}

function optionsOf(value: object): readonly string[] {
  try {
    parsed(value)
  } catch (error) {
    if (error instanceof OptionError) return error.problems.map(({ option }) => option)
    throw error
  }
  return []
}

it('reads the key of a request, with as many bits of an address as the options say', () => {
  const facts = { remoteAddress: '192.0.2.77' }
  const keyOf = (value: object): string | undefined => parsed(value).readKey(request(undefined, facts))
  expect(keyOf({ hash: 'ip' })).not.toBe(keyOf({ hash: 'ip', ipv4Prefix: 24 }))
  const near = parsed({ hash: 'ip', ipv4Prefix: 24 }).readKey(
    request(undefined, { remoteAddress: '192.0.2.1' }),
  )
  expect(keyOf({ hash: 'ip', ipv4Prefix: 24 })).toBe(near)
  expect(keyOf({ hash: ['cookie:sid', 'path'] })).toBe('/')
})

it('hashes with the seed, or the oldest secret, or a public key', () => {
  const hashOf = (value: object): readonly number[] => {
    const words = new Uint32Array(2)
    parsed({ hash: 'path', ...value }).hash('key', words)
    return [...words]
  }
  const publicHash = new Uint32Array(2)
  parsed({ hash: 'path' }, () => undefined).hash('key', publicHash)
  expect(hashOf({ seed: SECRET.toString() })).toEqual(hashOf({}))
  expect(hashOf({ seed: OTHER })).not.toEqual(hashOf({}))
  expect([...publicHash]).not.toEqual(hashOf({}))
})

it.each([
  [{}, ['balance.hash']],
  [{ hash: 'path', ipv4Prefix: 24 }, ['balance.ipv4Prefix']],
  [{ hash: ['ip', 'path'], ipv4Prefix: 24 }, []],
  [{ hash: 'ip', ipv4Prefix: 33, ipv6Prefix: 0 }, ['balance.ipv4Prefix', 'balance.ipv6Prefix']],
  [{ hash: 'path', boundedLoad: 1.05 }, []],
  [{ hash: 'path', boundedLoad: 0 }, []],
  [{ hash: 'path', boundedLoad: 1 }, ['balance.boundedLoad']],
  [{ hash: 'path', boundedLoad: Infinity }, ['balance.boundedLoad']],
  [{ hash: 'path', seed: 'short' }, ['balance.seed']],
])('of %j the options %j are wrong', (value, options) => {
  expect(optionsOf(value)).toEqual(options)
})

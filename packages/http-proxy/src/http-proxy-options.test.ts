import { createAffinity, OptionError } from '@limpet/core'
import { optionTable, text } from '@limpet/core/options'
import { describe, expect, it } from 'vitest'
import { type HttpProxyOptions, parseHttpProxyOptions } from './http-proxy-options.ts'

const POOL = {
  backends: [{ id: 'a', url: 'http://a.test:80' }],
  secrets: ['correct horse battery staple, and then some more'],
}

const OWN = optionTable({ prefix: text({ takes: 'a path' }) })

function errorOf(options: unknown, own?: typeof OWN): OptionError {
  try {
    parseHttpProxyOptions(options as HttpProxyOptions, own)
  } catch (error) {
    if (error instanceof OptionError) return error
    throw error
  }
  throw new Error('was accepted')
}

describe('the options of every adapter', () => {
  it('need a pool, and nothing else', () => {
    const { affinity, bodyLimit, transport } = parseHttpProxyOptions(POOL)
    expect(affinity.pool.backends.map(({ backend }) => backend.id)).toEqual(['a'])
    expect([bodyLimit, transport.connectTimeoutMs]).toEqual([undefined, 5_000])
  })

  it('are given to core and to the transport, each its own', () => {
    const options = { ...POOL, name: 'mine', timeouts: { connect: 7 }, tls: { verify: false }, bodyLimit: 0 }
    const { affinity, bodyLimit, transport } = parseHttpProxyOptions(options)
    expect([affinity.pool.name, bodyLimit]).toEqual(['mine', 0])
    expect(transport).toMatchObject({ connectTimeoutMs: 7, verify: false })
  })

  it.each([0, 1, Number.MAX_SAFE_INTEGER, Infinity])('may limit bodies to %d bytes', bodyLimit => {
    expect(parseHttpProxyOptions({ ...POOL, bodyLimit }).bodyLimit).toBe(bodyLimit)
  })

  it('may use an affinity that was made before, with a transport of their own', () => {
    const use = createAffinity(POOL)
    const parsed = parseHttpProxyOptions({ use, timeouts: { response: 7 } })
    expect(parsed.affinity).toBe(use)
    expect(parsed.transport.responseTimeoutMs).toBe(7)
  })

  it("may have with them an adapter's own", () => {
    const options = { ...POOL, prefix: '/a' }
    const parsed = parseHttpProxyOptions(options, OWN)
    expect([parsed.affinity.pool.backends.length, parsed.own]).toEqual([1, { prefix: '/a' }])
    expect(errorOf(options).option).toBe('prefix')
    const using = { use: createAffinity(POOL), prefix: '/a' }
    expect(parseHttpProxyOptions(using, OWN).affinity).toBe(using.use)
    expect(errorOf(using).option).toBe('prefix')
  })

  it('are refused with every problem, those of core, of the transport and of the adapter', () => {
    const wrong = { ...POOL, maxAttempts: 0, timeouts: { idle: -1 }, prefix: 7, prefx: '/a' }
    expect(errorOf(wrong, OWN).problems.map(({ option }) => option)).toEqual([
      'prefx',
      'timeouts.idle',
      'maxAttempts',
      'prefix',
    ])
  })

  it.each<[string, Record<string, unknown>, string, string, string]>([
    ['a negative bodyLimit', { bodyLimit: -1 }, 'bodyLimit', '-1', 'a whole number from 0'],
    ['a bodyLimit with a unit', { bodyLimit: '1mb' }, 'bodyLimit', '"1mb"', 'a whole number from 0'],
    ['a broken bodyLimit', { bodyLimit: 1.5 }, 'bodyLimit', '1.5', 'a whole number from 0'],
    ['a bodyLimit of no number', { bodyLimit: Number.NaN }, 'bodyLimit', 'NaN', 'a whole number from 0'],
    ['null for a bodyLimit', { bodyLimit: null }, 'bodyLimit', 'null', 'a whole number from 0'],
    ['a misspelt key', { bodylimit: 1 }, 'bodylimit', 'not known', 'bodyLimit'],
    ['a time that is wrong', { timeouts: { connect: '5' } }, 'timeouts.connect', '"5"', 'a duration'],
    ['an option of core that is wrong', { onUnavailable: 'drop' }, 'onUnavailable', '"drop"', 'reject'],
    [
      'a backend that is wrong',
      { backends: [{ id: '', url: 'http://a.test' }] },
      'backends[0].id',
      '""',
      '1 to 64',
    ],
    ['no backends', { backends: undefined }, 'backends', 'missing', 'a list of'],
  ])('are refused with %s', (_, wrong, option, got, takes) => {
    const error = errorOf({ ...POOL, ...wrong })
    expect(error).toMatchObject({ option, code: 'ERR_INVALID_OPTION' })
    const [, first, second] = /^option \S+ (?:got|is) (.*?)(?: \(.*\))?; (.*)$/.exec(error.message) ?? []
    expect(first).toBe(got)
    expect(second).toContain(takes)
  })

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['an object', { pool: {} }],
    ['the function that makes one', createAffinity],
  ])('do not use %s', (_, use) => {
    const error = errorOf({ use })
    expect(error.option).toBe('use')
    expect(error.message).toContain('createAffinity()')
  })

  it('do not make an affinity beside the one that they use', () => {
    expect(errorOf({ use: createAffinity(POOL), ...POOL }).option).toBe('backends')
  })
})

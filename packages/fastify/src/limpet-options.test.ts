import { readFileSync } from 'node:fs'
import { createAffinity, OptionError } from '@limpet/core'
import { describe, expect, it } from 'vitest'
import { type LimpetOptions, parseLimpetOptions } from './limpet-options.ts'

const CERT = readFileSync(new URL('../../../test/support/tls/certificate.pem', import.meta.url), 'utf8')

const POOL = {
  backends: [{ id: 'a', url: 'http://a.test:80' }],
  secrets: ['correct horse battery staple, and then some more'],
}

function errorOf(options: unknown): OptionError {
  try {
    parseLimpetOptions(options as LimpetOptions)
  } catch (error) {
    if (error instanceof OptionError) return error
    throw error
  }
  throw new Error('was accepted')
}

describe('the options of the plugin', () => {
  it('need a pool, and nothing else', () => {
    const parsed = parseLimpetOptions(POOL)
    expect(parsed).toMatchObject({ prefix: '', routes: {}, bodyLimit: undefined })
    expect(parsed.affinity.pool.backends.map(({ backend }) => backend.id)).toEqual(['a'])
    expect(parsed.transport).toEqual({
      connectTimeoutMs: 5_000,
      responseTimeoutMs: 60_000,
      totalTimeoutMs: 0,
      idleTimeoutMs: 0,
      tunnelTimeoutMs: 3_600_000,
      ca: undefined,
      servername: undefined,
      verify: true,
    })
  })

  it('are taken as given', () => {
    const parsed = parseLimpetOptions({
      ...POOL,
      name: 'mine',
      prefix: '/api',
      routes: false,
      bodyLimit: 0,
      timeouts: { connect: '250ms', response: 0, total: '2m', idle: '1m' },
      tls: { ca: [CERT, Buffer.from(CERT)], servername: 'app.internal', verify: false },
    })
    expect(parsed).toMatchObject({ prefix: '/api', routes: undefined, bodyLimit: 0 })
    expect(parsed.affinity.pool.name).toBe('mine')
    expect(parsed.transport).toEqual({
      connectTimeoutMs: 250,
      responseTimeoutMs: 0,
      totalTimeoutMs: 120_000,
      idleTimeoutMs: 60_000,
      tunnelTimeoutMs: 3_600_000,
      ca: [CERT, Buffer.from(CERT)],
      servername: 'app.internal',
      verify: false,
    })
  })

  it('may use an affinity that was made before', () => {
    const affinity = createAffinity(POOL)
    expect(parseLimpetOptions({ use: affinity }).affinity).toBe(affinity)
  })

  it.each([CERT, Buffer.from(CERT)])('may trust one certificate', ca => {
    expect(parseLimpetOptions({ ...POOL, tls: { ca } }).transport.ca).toBe(ca)
  })

  it("may have with them what Fastify's register takes", () => {
    const registered = { ...POOL, prefix: '/a', logLevel: 'warn', logSerializers: {} }
    expect(parseLimpetOptions(registered).prefix).toBe('/a')
    const using = { use: createAffinity(POOL), logLevel: 'warn', logSerializers: {} }
    expect(parseLimpetOptions(using).affinity).toBe(using.use)
  })

  it.each<[string, Record<string, unknown>, string, string, string]>([
    ['a prefix without its slash', { prefix: 'api' }, 'prefix', '"api"', 'begins with /'],
    ['a prefix that is a number', { prefix: 7 }, 'prefix', '7', 'begins with /'],
    ['null for a prefix', { prefix: null }, 'prefix', 'null', 'begins with /'],
    ['routes that are a word', { routes: 'no' }, 'routes', '"no"', 'true or false'],
    ['routes that are null', { routes: null }, 'routes', 'null', 'true or false'],
    ['a negative bodyLimit', { bodyLimit: -1 }, 'bodyLimit', '-1', 'a whole number from 0'],
    ['a bodyLimit with a unit', { bodyLimit: '1mb' }, 'bodyLimit', '"1mb"', 'a whole number from 0'],
    ['a broken bodyLimit', { bodyLimit: 1.5 }, 'bodyLimit', '1.5', 'a whole number from 0'],
    ['a bodyLimit of no number', { bodyLimit: Number.NaN }, 'bodyLimit', 'NaN', 'a whole number from 0'],
    ['one time for all', { timeouts: '5s' }, 'timeouts', '"5s"', 'connect, response, total, idle'],
    ['no times at all', { timeouts: null }, 'timeouts', 'null', 'connect, response, total, idle'],
    [
      'an unknown time',
      { timeouts: { read: 1 } },
      'timeouts.read',
      'not known',
      'connect, response, total, idle',
    ],
    ['a time without a unit', { timeouts: { connect: '5' } }, 'timeouts.connect', '"5"', 'a duration'],
    ['a negative time', { timeouts: { response: -1 } }, 'timeouts.response', '-1', 'a duration'],
    ['a time of no length', { timeouts: { idle: Number.NaN } }, 'timeouts.idle', 'NaN', 'a duration'],
    ['tls that is switched on', { tls: true }, 'tls', 'true', 'ca, servername, verify'],
    ['an unknown key of tls', { tls: { key: 'x' } }, 'tls.key', 'not known', 'ca, servername, verify'],
    ['a certificate that is an object', { tls: { ca: {} } }, 'tls.ca', 'an object', 'PEM'],
    ['a list with a number in it', { tls: { ca: [CERT, 2] } }, 'tls.ca', '2', 'PEM'],
    ['null for a certificate', { tls: { ca: null } }, 'tls.ca', 'null', 'PEM'],
    ['an empty name for a server', { tls: { servername: '' } }, 'tls.servername', '""', 'a host name'],
    ['no name for a server', { tls: { servername: null } }, 'tls.servername', 'null', 'a host name'],
    ['verify that is a number', { tls: { verify: 0 } }, 'tls.verify', '0', 'true or false'],
    ['a misspelt key', { bodylimit: 1 }, 'bodylimit', 'not known', 'prefix, routes'],
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

  it('are refused with every problem, of core, of the transport, of routes and of rewriting', () => {
    const error = errorOf({
      ...POOL,
      maxAttempts: 0,
      timeouts: { idle: -1 },
      prefix: 'api',
      httpMethods: ['GET', 'get', 'CONNECT'],
      preHandler: [1, 2],
      rewritePrefix: 'v1',
      onError: 'text',
      responseHeaders: { set: { 'X-A': '\0', 'X-B': 1 } },
    })
    expect(error.problems.map(({ option }) => option)).toEqual([
      'timeouts.idle',
      'maxAttempts',
      'prefix',
      'httpMethods[1]',
      'httpMethods[2]',
      'preHandler[0]',
      'preHandler[1]',
      'rewritePrefix',
      'responseHeaders.set.X-A',
      'responseHeaders.set.X-B',
      'onError',
    ])
  })

  it.each<[Record<string, unknown>, readonly string[]]>([
    [
      { routes: false, websocket: true, config: {}, rewritePrefix: '/a' },
      ['config', 'websocket', 'rewritePrefix'],
    ],
    [{ notFound: true, httpMethods: ['GET'], schema: {} }, ['httpMethods', 'schema']],
  ])('have no effect in %j, and say so', (wrong, options) => {
    const { problems } = errorOf({ ...POOL, ...wrong })
    expect(problems.map(({ option }) => option)).toEqual(options)
    expect(problems.every(({ message }) => message.startsWith('has no effect with'))).toBe(true)
  })

  it('do not make an affinity beside the one that they use', () => {
    const error = errorOf({ use: createAffinity(POOL), ...POOL })
    expect(error.option).toBe('backends')
    expect(error.message).toContain('prefix')
  })
})

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
      responseDeadlines: expect.objectContaining({ ms: 60_000 }),
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
      responseDeadlines: expect.objectContaining({ ms: 0 }),
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
    ['a misspelt key', { bodylimit: 1 }, 'bodylimit', 'not known', 'prefix, routes'],
    ['an option of core that is wrong', { onUnavailable: 'drop' }, 'onUnavailable', '"drop"', 'reject'],
    [
      'an option of the transport that is wrong',
      { timeouts: '5s' },
      'timeouts',
      '"5s"',
      'connect, response, total, idle',
    ],
  ])('are refused with %s', (_, wrong, option, got, takes) => {
    const error = errorOf({ ...POOL, ...wrong })
    expect(error).toMatchObject({ option, code: 'ERR_INVALID_OPTION' })
    const [, first, second] = /^option \S+ (?:got|is) (.*?)(?: \(.*\))?; (.*)$/.exec(error.message) ?? []
    expect(first).toBe(got)
    expect(second).toContain(takes)
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

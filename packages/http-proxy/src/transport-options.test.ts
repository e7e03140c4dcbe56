import { readFileSync } from 'node:fs'
import { OptionError } from '@limpet/core'
import { describe, expect, it } from 'vitest'
import { parseTransport, type TransportOptions } from './transport-options.ts'

const CERT = readFileSync(new URL('../../../test/support/tls/certificate.pem', import.meta.url), 'utf8')

describe('how backends are spoken to', () => {
  it('has defaults for all of it', () => {
    expect(parseTransport({})).toEqual({
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
    expect(parseTransport({ timeouts: {}, tls: {} })).toEqual(parseTransport({}))
  })

  it('is taken as given', () => {
    const ca = [CERT, Buffer.from(`# bundle\n${CERT}\n${CERT}`)]
    const timeouts = { connect: '250ms', response: 0, idle: '1m', tunnel: 30 } as const
    const parsed = parseTransport({ timeouts, tls: { ca, servername: 'app.internal', verify: false } })
    expect(parsed).toEqual({
      connectTimeoutMs: 250,
      responseTimeoutMs: 0,
      responseDeadlines: expect.objectContaining({ ms: 0 }),
      totalTimeoutMs: 0,
      idleTimeoutMs: 60_000,
      tunnelTimeoutMs: 30,
      ca,
      servername: 'app.internal',
      verify: false,
    })
    expect(parsed.ca, 'a list of its own').not.toBe(ca)
  })

  it.each([CERT, Buffer.from(CERT)])('may trust one certificate', ca => {
    expect(parseTransport({ tls: { ca } }).ca).toBe(ca)
  })

  it.each([
    ['nothing', ''],
    ['blanks', ' \n'],
    ['a text', 'not a certificate'],
    ['a key', '-----BEGIN PRIVATE KEY-----\nTUlJQnBUQ0NBVXFn\n-----END PRIVATE KEY-----\n'],
    ['half a certificate', CERT.slice(0, 200)],
    ['a broken certificate', CERT.replace(/\n.{20}/, '\nAAAAAAAAAAAAAAAAAAAA')],
    ['a good one and a broken one', CERT + CERT.replace(/\n.{20}/, '\nAAAAAAAAAAAAAAAAAAAA')],
    ['an empty list', []],
    ['a list with a text', [CERT, 'not a certificate']],
    ['empty bytes', Buffer.alloc(0)],
  ])('certificates to trust are not taken from %s, which Node would ignore', (_what, ca) => {
    const error = errorOf({ tls: { ca } })
    expect(error.option).toBe('tls.ca')
    expect(error.message).toMatch(/certificate/)
    expect(error.message).not.toContain('TUlJQ')
  })

  it.each<[string, Record<string, unknown>, string, string, string]>([
    ['one time for all', { timeouts: '5s' }, 'timeouts', '"5s"', 'connect, response, total, idle, tunnel'],
    ['no times at all', { timeouts: null }, 'timeouts', 'null', 'connect, response, total, idle, tunnel'],
    [
      'an unknown time',
      { timeouts: { read: 1 } },
      'timeouts.read',
      'not known',
      'connect, response, total, idle, tunnel',
    ],
    ['a time without a unit', { timeouts: { connect: '5' } }, 'timeouts.connect', '"5"', 'a duration'],
    ['a negative time', { timeouts: { response: -1 } }, 'timeouts.response', '-1', 'a duration'],
    ['a time of no length', { timeouts: { idle: Number.NaN } }, 'timeouts.idle', 'NaN', 'a duration'],
    ['a time for ever', { timeouts: { tunnel: Infinity } }, 'timeouts.tunnel', 'Infinity', 'a duration'],
    ['tls that is switched on', { tls: true }, 'tls', 'true', 'ca, servername, verify'],
    ['an unknown key of tls', { tls: { key: 'x' } }, 'tls.key', 'not known', 'ca, servername, verify'],
    ['a certificate that is an object', { tls: { ca: {} } }, 'tls.ca', 'an object', 'PEM'],
    ['a list with a number in it', { tls: { ca: [CERT, 2] } }, 'tls.ca', '2', 'PEM'],
    ['null for a certificate', { tls: { ca: null } }, 'tls.ca', 'null', 'PEM'],
    ['an empty name for a server', { tls: { servername: '' } }, 'tls.servername', '""', 'a host name'],
    ['no name for a server', { tls: { servername: null } }, 'tls.servername', 'null', 'a host name'],
    ['verify that is a number', { tls: { verify: 0 } }, 'tls.verify', '0', 'true or false'],
  ])('is refused with %s', (_, wrong, option, got, takes) => {
    const error = errorOf(wrong)
    expect(error).toMatchObject({ option, code: 'ERR_INVALID_OPTION' })
    const [, first, second] = /^option \S+ (?:got|is) (.*?)(?: \(.*\))?; (.*)$/.exec(error.message) ?? []
    expect(first).toBe(got)
    expect(second).toContain(takes)
  })
})

function errorOf(options: TransportOptions): OptionError {
  try {
    parseTransport(options)
  } catch (error) {
    if (error instanceof OptionError) return error
    throw error
  }
  throw new Error('was accepted')
}

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import type { AdminError } from './admin-error.ts'
import { Admission } from './admission.ts'

const TOKEN = 'a-token-of-the-tests-01'
const OPEN = { host: '127.0.0.1', port: 8404, token: undefined, hosts: [], allowBackends: undefined }
const CLOSED = {
  host: 'gateway.internal',
  port: 8404,
  token: TOKEN,
  hosts: ['Limpet.example'],
  allowBackends: undefined,
}

/** The status that a request gets, 200 when it is admitted. */
function statusOf(
  admission: Admission,
  headers: IncomingHttpHeaders,
  remoteAddress = '127.0.0.1',
  method = 'GET',
): number {
  try {
    admission.admit({
      method,
      headers: { host: '127.0.0.1:8404', ...headers },
      socket: { remoteAddress },
    } as unknown as IncomingMessage)
    return 200
  } catch (error) {
    return (error as AdminError).statusCode
  }
}

const bearer = (token: string): IncomingHttpHeaders => ({ authorization: `Bearer ${token}` })

describe('with a token', () => {
  it.each<[string, IncomingHttpHeaders]>([
    ['no Authorization', {}],
    ['an empty one', { authorization: '' }],
    ['Bearer alone', { authorization: 'Bearer' }],
    ['Bearer and blanks', { authorization: 'Bearer   ' }],
    ['another scheme', { authorization: `Basic ${TOKEN}` }],
    ['another token', bearer('another')],
    ['two tokens', bearer(`${TOKEN} ${TOKEN}`)],
  ])('a request with %s is rejected with 401', (_what, headers) => {
    expect(statusOf(new Admission(CLOSED), headers)).toBe(401)
  })

  it('the password of Basic is the token, for any user, to read and not to change', () => {
    const admission = new Admission(CLOSED)
    const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` })
    for (const user of ['', 'limpet', 'ü']) expect(statusOf(admission, basic(`${user}:${TOKEN}`))).toBe(200)
    for (const text of [TOKEN, `${TOKEN}:`, `limpet:${TOKEN}x`, `limpet: ${TOKEN}`, ':', ''])
      expect(statusOf(admission, basic(text))).toBe(401)
    for (const method of ['POST', 'PATCH', 'DELETE'])
      expect(statusOf(admission, basic(`limpet:${TOKEN}`), '127.0.0.1', method)).toBe(401)
  })

  it('a password may have colons', () => {
    const token = 'a:token:of:the:tests:02'
    const authorization = `Basic ${Buffer.from(`limpet:${token}`).toString('base64')}`
    expect(statusOf(new Admission({ ...CLOSED, token }), { authorization })).toBe(200)
  })

  it('no credentials are compared, not even with an empty token', () => {
    const admission = new Admission({ ...CLOSED, token: '' })
    for (const authorization of [undefined, '', 'Bearer', 'Bearer '])
      expect(statusOf(admission, { authorization })).toBe(401)
  })

  it.each([
    '127.0.0.1',
    'localhost:8404',
    '[::1]:8404',
    '192.0.2.7:8404',
    '[2001:db8::1]',
    'gateway.internal:8404',
    'limpet.EXAMPLE:8404',
  ])('the Host %s is known', host => {
    expect(statusOf(new Admission(CLOSED), { host, ...bearer(TOKEN) }, '192.0.2.1')).toBe(200)
  })

  it.each([
    'evil.example',
    'localhost.evil.example',
    '',
    '127.0.0.1.evil.example:8404',
    '127.0.0.1@evil.example',
  ])('the Host "%s" is not, and is rejected with 421', host =>
    expect(statusOf(new Admission(CLOSED), { host, ...bearer(TOKEN) })).toBe(421),
  )
})

describe('wrong tokens', () => {
  it('are rejected with 429 after ten in a minute, and the right one is served all the time', () => {
    let nowMs = 0
    const admission = new Admission(CLOSED, () => nowMs)
    const wrong = (times: number): number[] =>
      Array.from({ length: times }, (_, index) => statusOf(admission, bearer(`wrong-${index}`)))
    expect(wrong(12)).toEqual([401, 401, 401, 401, 401, 401, 401, 401, 401, 401, 429, 429])
    expect(statusOf(admission, bearer(TOKEN))).toBe(200)
    expect(statusOf(admission, bearer('wrong'), '192.0.2.1')).toBe(401)
    nowMs = 60_000
    expect(wrong(1)).toEqual([401])
  })

  it('are not counted for requests without credentials', () => {
    const admission = new Admission(CLOSED, () => 0)
    for (let times = 0; times < 20; times += 1) expect(statusOf(admission, {})).toBe(401)
    expect(statusOf(admission, bearer('wrong'))).toBe(401)
    expect(statusOf(admission, bearer(TOKEN))).toBe(200)
  })
})

describe('without a token', () => {
  it('only loopback is served, by a loopback name or address', () => {
    const admission = new Admission(OPEN)
    expect(statusOf(admission, {})).toBe(200)
    expect(statusOf(admission, { host: 'LOCALHOST' }, '::1')).toBe(200)
    expect(statusOf(admission, { host: '[::1]:8404' }, '::ffff:127.0.0.1')).toBe(200)
    expect(statusOf(admission, {}, '192.0.2.1')).toBe(403)
    expect(statusOf(admission, {}, '::ffff:192.0.2.1')).toBe(403)
    expect(statusOf(admission, { host: '192.0.2.7:8404' })).toBe(421)
    expect(statusOf(admission, { host: 'evil.example' })).toBe(421)
  })
})

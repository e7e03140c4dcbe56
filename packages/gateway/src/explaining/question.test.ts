import { expect, it } from 'vitest'
import { linesOf, parseQuestion, requestOf } from './question.ts'

it('has defaults for a request of which nothing is said', () => {
  const question = parseQuestion({})
  expect(question).toMatchObject({ method: 'GET', url: '/', headers: [] })
  expect(linesOf(question)).toEqual([['Host', 'localhost']])
})

it('makes a request as Node would have made it', () => {
  const question = parseQuestion({
    url: '/x',
    headers: [
      ['HOST', 'a.test'],
      ['X-A', '1'],
    ],
    cookie: 'v1.abc',
    client: '192.0.2.1',
  })
  expect(requestOf(question, 'SERVERID')).toMatchObject({
    url: '/x',
    rawHeaders: ['HOST', 'a.test', 'X-A', '1', 'Cookie', 'SERVERID=v1.abc'],
    headers: { host: 'a.test', 'x-a': '1', cookie: 'SERVERID=v1.abc' },
    socket: { remoteAddress: '192.0.2.1' },
  })
  const { headers } = requestOf(parseQuestion({ cookie: 'a=1; b=2' }), 'SERVERID')
  expect(headers).toEqual({ host: 'localhost', cookie: 'a=1; b=2' })
})

it.each([
  [{ method: 'GET /' }, 'method'],
  [{ url: '/a b' }, 'url'],
  [{ client: 'localhost' }, 'client'],
  [{ headers: [['a b', 'hush']] }, 'headers[0]'],
  [{ headers: [['a', 'hush\n']] }, 'headers[0]'],
  [{ headers: [['a', 'hush', 'c']] }, 'headers[0]'],
  [{ headers: [['a']] }, 'headers[0]'],
  [{ headers: Array.from({ length: 501 }, () => ['a', 'hush']) }, 'headers'],
])('refuses %j without a value of a header', (body, option) => {
  const parse = (): unknown => parseQuestion(body)
  expect(parse).toThrow(expect.objectContaining({ option }))
  expect(parse).not.toThrow('hush')
})

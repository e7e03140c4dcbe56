import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { explanationText } from './report.ts'
import { requestText } from './request-file.ts'
import { runExplain } from './command.ts'

it.each<[readonly string[], RegExp]>([
  [['--cookee', 'a'], /--cookee is not known; did you mean --cookie/],
  [['word'], /a word is not known/],
  [['--header', 'nonsense'], /--header takes a header as/],
  [['--request', '/no/such/file'], /--request: ENOENT/],
  [['--admin', 'http://x', '--config', 'y'], /both given/],
])('the command line %j is refused', async (args, problem) => {
  let error = ''
  const terminal = {
    out: () => {
      throw new Error('explains')
    },
    error: (text: string) => void (error += text),
  }
  expect(await runExplain(args, terminal)).toBe(1)
  expect(error).toMatch(problem)
})

it('reads the head of a request, and no body', () => {
  const read = requestText('f', '\r\nPOST /a?b HTTP/1.1\r\nHost: a\r\nCookie:  x=1; y=2 \r\n\r\nCookie: z=3')
  expect(read).toEqual({
    method: 'POST',
    url: '/a?b',
    headers: [
      ['Host', 'a'],
      ['Cookie', 'x=1; y=2'],
    ],
  })
})

it('takes the lines that curl -v has sent, and none that it has received', () => {
  const read = requestText('f', '* Trying\n> GET / HTTP/1.1\n> Host: a\n> \n< HTTP/1.1 200 OK\n< B: c\n')
  expect(read).toEqual({ method: 'GET', url: '/', headers: [['Host', 'a']] })
})

it.each([
  ['', 'f: line 1 is no request line; it takes a line such as GET /cart HTTP/1.1'],
  ['\n\nhello', 'f: line 3 is no request line; it takes a line such as GET /cart HTTP/1.1'],
  ['GET / HTTP/1.1\nsecret text', 'f: line 2 is no header; it takes a line such as Cookie: SERVERID=...'],
  ['GET / HTTP/1.1\n: x', 'f: line 2 is no header; it takes a line such as Cookie: SERVERID=...'],
])('names the wrong line of %j, and not its text', (text, message) => {
  expect(() => requestText('f', text)).toThrow(message)
})

it('prints an explanation as tables, without characters that a terminal obeys', () => {
  const text = explanationText({
    pool: 'web',
    backend: 'w2',
    status: 'unavailable',
    by: 'balancer',
    reason: "the session's backend w1 is down, so round-robin gives it w2",
    balancer: 'round-robin',
    policies: [
      {
        policy: 'own\u001b[2J',
        keys: [{ claim: 'backend', backend: 'w1', obstacle: 'down', value: 'v1.3fK9a... (78 characters)' }],
      },
    ],
    backends: [
      { id: 'w1', candidate: false, obstacle: 'down' },
      { id: 'w2', candidate: true },
    ],
    backendsLeftOut: 3,
  })
  expect(text.replaceAll(/ {2,}/g, '  '))
    .toBe(`web: the session's backend w1 is down, so round-robin gives it w2.
affinity status: unavailable; balancer: round-robin

policy  key  value  result
own [2J  v1.3fK9a... (78 characters)  names w1, which is down

backend  new sessions  why not
w1  no  is down
w2  yes
and 3 more
`)
})

it.each([
  [{ policies: [null], backends: [] }],
  [{ policies: [{ policy: 'cookie', keys: [null] }], backends: [] }],
  [{ policies: [], backends: [null] }],
])('is told that a port with the explanation %j is no admin port', async body => {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  let text = ''
  const note = (part: string): void => void (text += part)
  const code = await runExplain(['--admin', `http://127.0.0.1:${port}`], { out: note, error: note })
  expect([code, text]).toEqual([1, `limpet explain: http://127.0.0.1:${port} is no admin port of limpet\n`])
})

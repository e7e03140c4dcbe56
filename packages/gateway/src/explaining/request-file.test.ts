import { expect, it } from 'vitest'
import { requestText } from './request-file.ts'

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

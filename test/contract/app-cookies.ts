import { describe, expect, test } from 'vitest'
import { startBackend } from '../support/backend.ts'
import { echoWith, rawAnswer } from '../support/scripts.ts'
import type { Start } from './start.ts'

/** Lines that a parser would like to improve. */
const LINES = [
  'a=1; Path=/',
  'theme=dark; Expires=Wed, 21 Oct 2099 07:28:00 GMT; path=/x',
  'b="quoted; not really"',
  'c=%7B%22x%22%3A1%7D;Secure;HttpOnly',
  'nameless',
  '=valueless',
  'd = spaced ; Max-Age=0',
  'e=caf\u00e9',
  'a=2',
]

/** The cookies that the application sets. */
export function appCookies(start: Start): void {
  describe("the application's cookies", () => {
    test('they pass one by one, byte for byte, in their order, and ours is one more [D-22]', async () => {
      const fields = LINES.map(line => `Set-Cookie: ${line}\r\n`).join('')
      const script = rawAnswer(`HTTP/1.1 200 OK\r\n${fields}Content-Length: 0\r\n\r\n`)
      const gateway = await start([await startBackend('w1', script)])
      const answer = await gateway.ask()
      const [ours] = answer.cookies('SERVERID')
      expect(answer.cookies().filter(line => line !== ours)).toEqual(LINES)
      expect(answer.cookies()).toHaveLength(LINES.length + 1)
      const again = await gateway.ask({ headers: { Cookie: ours?.split(';')[0] } })
      expect(again.cookies()).toEqual(LINES)
    })

    test('one of our name is left out, and the others stay [LB034, LB169, T-17, D-22]', async () => {
      const theirs = ['SERVERID=app; Path=/', 'other=1', 'SERVERIDX=2', 'SERVERID = app2']
      const gateway = await start([await startBackend('w1', echoWith(200, { 'Set-Cookie': theirs }))])
      const browser = gateway.browser()
      const first = await browser.ask()
      const [ours = ''] = first.cookies('SERVERID')
      expect(ours).toMatch(/^SERVERID=v1\./)
      expect(first.cookies().filter(line => line !== ours)).toEqual(['other=1', 'SERVERIDX=2'])
      expect((await browser.ask()).cookies()).toEqual(['other=1', 'SERVERIDX=2'])
    })

    test('one of our name stays, and ours is not written, with preserve', async () => {
      const script = echoWith(200, { 'Set-Cookie': ['SERVERID=app; Path=/', 'other=1'] })
      const gateway = await start([await startBackend('w1', script)], {
        affinity: [{ cookie: { preserve: true } }],
      })
      expect((await gateway.ask()).cookies()).toEqual(['SERVERID=app; Path=/', 'other=1'])
    })

    test('they reach a client whose answer is an error of the application', async () => {
      const gateway = await start([await startBackend('w1', echoWith(500, { 'Set-Cookie': 'a=1' }))])
      expect((await gateway.ask()).cookies('a')).toEqual(['a=1'])
    })
  })
}

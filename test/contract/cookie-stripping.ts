import { describe, expect, test } from 'vitest'
import { type Backend, startBackend, startBackends } from '../support/backend.ts'
import { joinedValue } from '../support/header-lines.ts'
import { resetBeforeHead } from '../support/scripts.ts'
import type { RunningGateway, Start } from './start.ts'

/** The backend's view of the client's Cookie header: all but ours. Several lines are compared after joining. */
export function cookieStripping(start: Start): void {
  async function session(strip = true): Promise<{ gateway: RunningGateway; w1: Backend; value: string }> {
    const w1 = await startBackend('w1')
    const gateway = await start([w1], { affinity: [{ cookie: { strip } }] })
    return { gateway, w1, value: (await gateway.browserOn(w1)).cookies.get('SERVERID') ?? '' }
  }

  describe('stripping the cookie', () => {
    test.each([
      ['SERVERID=@', undefined, 'LB017'],
      ['SERVERID=@; ', undefined, 'LB017'],
      ['a=1; SERVERID=@', 'a=1', 'LB016'],
      ['a=1; SERVERID=@;', 'a=1', 'LB016'],
      ['SERVERID=@; a=1', 'a=1', 'LB020'],
      ['SERVERID=@ ; a=1', 'a=1', 'LB020'],
      ['a=1; SERVERID=@; b=2', 'a=1; b=2', 'LB010'],
      ['a=1;SERVERID=@;b=2', 'a=1;b=2', 'LB015'],
      ['SERVERID=@; a=1; SERVERID=garbage', 'a=1', 'LB010'],
      ['SERVERID=garbage; a=1', 'a=1', 'LB166'],
      ['SERVERID="@"; a=1', 'a=1', 'LB019'],
      [
        'a = 1;b=2;  SERVERID=@; c="x;y"; $Version=1; flag; d=3,e=4',
        'a = 1;b=2; c="x;y"; $Version=1; flag; d=3,e=4',
        'LB014',
      ],
      ['XSERVERID=@; SERVERIDX=@; serverid=@', 'XSERVERID=@; SERVERIDX=@; serverid=@', 'LB022'],
      ['a=%zz; b=caf\u00e9; SERVERID=@', 'a=%zz; b=caf\u00e9', 'T-15'],
      ['a=1;; b=2', 'a=1;; b=2', 'LB014'],
    ])('%s becomes %s [%s]', async (sent, expected, _ids) => {
      const { gateway, w1, value } = await session()
      const { answers } = await gateway.raw(
        `GET / HTTP/1.1\r\nHost: a\r\nCookie: ${sent.replaceAll('@', value)}\r\nConnection: close\r\n\r\n`,
      )
      expect(answers[0]?.status).toBe(200)
      expect(joinedValue(w1.last.lines, 'cookie')).toBe(expected?.replaceAll('@', value))
    })

    test('of several lines only ours goes [LB002, LB013]', async () => {
      const { gateway, w1, value } = await session()
      await gateway.raw(
        `GET / HTTP/1.1\r\nHost: a\r\nCookie: a=1\r\nCookie: SERVERID=${value}\r\nCookie: b=2\r\n\r\n`,
      )
      expect(joinedValue(w1.last.lines, 'cookie')).toBe('a=1; b=2')
    })

    test('with a body, and when the backend is not the first that was tried [LB060, D-03]', async () => {
      const [w1, w2] = await startBackends('w1', 'w2')
      const gateway = await start([w1, w2])
      const { cookieHeader } = await gateway.browserOn(w1)
      const headers = { Cookie: `a=1; ${cookieHeader}` }
      await gateway.ask({ method: 'POST', body: 'x', headers })
      expect(joinedValue(w1.last.lines, 'cookie')).toBe('a=1')
      w1.script = resetBeforeHead
      expect((await gateway.ask({ headers })).echo.id).toBe('w2')
      expect(joinedValue(w2.last.lines, 'cookie')).toBe('a=1')
      await w1.refuse()
      await gateway.ask({ method: 'POST', body: 'x', headers })
      expect(joinedValue(w2.last.lines, 'cookie')).toBe('a=1')
    })

    test('not at all when it is to stay [LB009, LB170]', async () => {
      const { gateway, w1, value } = await session(false)
      for (const cookie of [`a = 1;SERVERID=${value};b=2`, 'SERVERID=zz; a=1']) {
        await gateway.ask({ headers: { Cookie: cookie } })
        expect(joinedValue(w1.last.lines, 'cookie')).toBe(cookie)
      }
    })

    test('those of every policy go', async () => {
      const w1 = await startBackend('w1')
      const gateway = await start([w1], {
        affinity: [{ cookie: { name: 'ONE' } }, { cookie: { name: 'TWO' } }],
      })
      await gateway.ask({ headers: { Cookie: 'ONE=1; a=1; TWO=2' } })
      expect(joinedValue(w1.last.lines, 'cookie')).toBe('a=1')
    })
  })
}

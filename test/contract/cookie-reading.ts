import { describe, expect, test } from 'vitest'
import { startBackends } from '../support/backend.ts'
import type { RunningGateway, Start } from './start.ts'

const PLACES = 24

/** Which cookies are accepted. A bad one is never an error of the client's. */
export function cookieReading(start: Start): void {
  /** A gateway before two backends, and the value of a session on w1. */
  async function session(): Promise<{ gateway: RunningGateway; value: string; w2: string }> {
    const gateway = await start(await startBackends('w1', 'w2'))
    const value = async (id: string) => (await gateway.browserOn({ id })).cookies.get('SERVERID') ?? ''
    return { gateway, value: await value('w1'), w2: await value('w2') }
  }

  /** Every visit with this Cookie header is a new session's. */
  async function expectIgnored(gateway: RunningGateway, cookie: string, visits = PLACES): Promise<void> {
    const ids = new Set<string>()
    for (let visit = 0; visit < visits; visit += 1) {
      const answer = await gateway.ask({ headers: { Cookie: cookie } })
      expect(answer.status).toBe(200)
      expect(answer.cookies('SERVERID')).toHaveLength(1)
      ids.add(answer.echo.id)
    }
    expect(ids.size, 'the balancer places them').toBe(2)
  }

  /** Every visit with this Cookie header comes to w1, which needs no new cookie. */
  async function expectHonoured(gateway: RunningGateway, cookie: string | string[]): Promise<void> {
    for (let visit = 0; visit < 3; visit += 1) {
      const answer = await gateway.ask({ headers: { Cookie: cookie } })
      expect(answer.echo.id).toBe('w1')
      expect(answer.cookies()).toEqual([])
    }
  }

  describe('reading the cookie', () => {
    test('one with any other character is ignored [LB166, T-01]', async () => {
      const { gateway, value } = await session()
      for (let at = 0; at < value.length; at += 1) {
        const other = value[at] === 'A' ? 'B' : 'A'
        const forged = `${value.slice(0, at)}${other}${value.slice(at + 1)}`
        // The last character of the base64 carries bits that do not count, but the text has to be the very same.
        const answer = await gateway.ask({ headers: { Cookie: `SERVERID=${forged}` } })
        expect(answer.status).toBe(200)
        expect(answer.cookies('SERVERID'), `character ${at}`).toHaveLength(1)
      }
    })

    test('one without its signature, or with a part of it, is ignored [T-01, T-02]', async () => {
      const { gateway, value } = await session()
      const unsigned = value.slice(0, value.lastIndexOf('.'))
      for (const forged of [unsigned, `${unsigned}.`, value.slice(0, -1), `${value}A`, `s:${value}`]) {
        await expectIgnored(gateway, `SERVERID=${forged}`)
      }
    })

    test.each([
      ['garbage', 'garbage'],
      ['nothing', ''],
      ['the name of a backend', 'w1'],
      ['an address', '127.0.0.1:80'],
      ['a url', 'http://127.0.0.1:1/'],
      ['a number', '0'],
      ['a member of every object', '__proto__'],
      ['another one', 'constructor'],
      ['a broken escape', '%zz%'],
      ['an escaped line end', 'a%0d%0aSet-Cookie:%20x=1'],
      ['512 characters and more', 'v1.'.padEnd(600, 'a')],
      ['four kilobytes', 'a'.repeat(4096)],
      ['twelve kilobytes', 'v1.a.'.repeat(2400)],
    ])('%s is ignored [LB078, LB079, T-01, T-07, T-11, T-12, T-13, T-15, D-21]', async (_what, value) => {
      await expectIgnored((await session()).gateway, `SERVERID=${value}`, 4)
    })

    test.each([
      ['alone', 'SERVERID=@'],
      ['among others', 'a=1; SERVERID=@; b=2'],
      ['in quotes', 'SERVERID="@"'],
      ['with blanks round it', 'a=1;  SERVERID = @ ;b=2'],
      ['without a blank before it', 'a=1;SERVERID=@'],
      ['after one that is garbage', 'SERVERID=garbage; SERVERID=@'],
      ['after one that is empty', 'SERVERID=; SERVERID=@'],
      ['after a comma, which separates nothing', 'a=1,2; SERVERID=@'],
      ['after an open quote, which protects nothing', 'a="1; SERVERID=@; b=2"'],
      ['twice', 'SERVERID=@; SERVERID=@'],
      ['before a broken escape', 'SERVERID=@; a=%'],
    ])(
      'a good one is honoured %s [LB019, LB020, LB167, LB168, LB224, T-08, T-15, D-20]',
      async (_where, cookie) => {
        const { gateway, value } = await session()
        await expectHonoured(gateway, cookie.replaceAll('@', value))
      },
    )

    test('a good one is honoured in any line of Cookie [LB002, LB013]', async () => {
      const { gateway, value } = await session()
      const { answers } = await gateway.raw(
        `GET / HTTP/1.1\r\nHost: a\r\nCookie: a=1\r\nCookie: SERVERID=${value}\r\nCookie: b=2\r\n\r\n`,
      )
      expect(answers[0]?.body).toContain('"id":"w1"')
      expect(answers[0]?.lines.map(([name]) => name.toLowerCase())).not.toContain('set-cookie')
    })

    test('of two good ones the first is honoured, every time [LB010, LB136, T-08]', async () => {
      const { gateway, value, w2 } = await session()
      for (let visit = 0; visit < 4; visit += 1) {
        expect(
          (await gateway.ask({ headers: { Cookie: `SERVERID=${value}; SERVERID=${w2}` } })).echo.id,
        ).toBe('w1')
        expect(
          (await gateway.ask({ headers: { Cookie: `SERVERID=${w2}; SERVERID=${value}` } })).echo.id,
        ).toBe('w2')
      }
    })

    test('of two good ones the one whose backend is well is honoured [T-08]', async () => {
      const { gateway, value, w2 } = await session()
      gateway.pool.setHealthy('w2', false)
      await expectHonoured(gateway, `SERVERID=${w2}; SERVERID=${value}`)
    })

    test.each([
      'XSERVERID=@',
      'SERVERIDX=@',
      'serverid=@',
      'ServerId=@',
      'a=SERVERID=@',
      'a="SERVERID=@"',
      'SERVERID',
      '@',
    ])('%s is no cookie of ours [LB022]', async cookie => {
      const { gateway, value } = await session()
      await expectIgnored(gateway, cookie.replaceAll('@', value), 4)
    })

    test('a hundred of them are read as quickly as one [T-07, T-14]', async () => {
      const { gateway, value } = await session()
      const many = Array.from({ length: 100 }, (_, index) => `SERVERID=${value.slice(0, -2)}${index}`)
      for (const cookie of [
        many.join('; '),
        'SERVERID='.repeat(1600),
        ' ;'.repeat(7500),
        `a=${'"\\'.repeat(7000)}`,
      ]) {
        const before = process.cpuUsage()
        const answer = await gateway.ask({ headers: { Cookie: cookie } })
        const { user, system } = process.cpuUsage(before)
        expect(answer.status).toBe(200)
        // The CPU time of this process, in microseconds: another process may take the machine meanwhile.
        expect(user + system).toBeLessThan(500_000)
      }
    })

    test('more cookies than a head can hold are refused at once, and no backend is tried [T-09]', async () => {
      const [w1] = await startBackends('w1')
      const gateway = await start([w1])
      const bomb = Array.from({ length: 50 }, (_, index) => `c${index}=${'x'.repeat(4090)}`).join('; ')
      const { answers, closed } = await gateway.raw(`GET / HTTP/1.1\r\nHost: a\r\nCookie: ${bomb}\r\n\r\n`)
      expect(answers[0]?.status).toBe(431)
      expect(closed).toBe(true)
      expect(w1.seen).toEqual([])
    })
  })
}

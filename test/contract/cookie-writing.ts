import type { CookiePolicyOptions } from '@limpet/core'
import { describe, expect, test } from 'vitest'
import { startBackend, startBackends } from '../support/backend.ts'
import { bare, echoWith, rawAnswer } from '../support/scripts.ts'
import type { Start } from './start.ts'

/** The content of our Set-Cookie, and the responses that have one. */
export function cookieWriting(start: Start): void {
  /** The attributes of the first cookie that a gateway with this policy writes. */
  async function attributes(cookie: CookiePolicyOptions, headers = {}): Promise<readonly string[]> {
    const gateway = await start([await startBackend('w1')], {
      affinity: [{ cookie }],
      trustProxy: ['127.0.0.1'],
    })
    const [line = ''] = (await gateway.ask({ headers })).cookies(cookie.name ?? 'SERVERID')
    return line.split('; ').slice(1)
  }

  describe('writing the cookie', () => {
    test('it is for the whole host, hidden from scripts, and ends with the browser [LB086, LB192, T-19]', async () => {
      expect(await attributes({})).toEqual(['Path=/', 'HttpOnly', 'SameSite=Lax'])
    })

    test('it is Secure when a trusted proxy says that the client came by TLS [LB155, LB192, T-19]', async () => {
      expect(await attributes({}, { 'X-Forwarded-Proto': 'https' })).toContain('Secure')
      expect(await attributes({}, { 'X-Forwarded-Proto': 'http' })).not.toContain('Secure')
      expect(await attributes({ secure: false }, { 'X-Forwarded-Proto': 'https' })).not.toContain('Secure')
    })

    test('it is not Secure because a stranger says so [T-19, T-22]', async () => {
      const gateway = await start([await startBackend('w1')])
      const [line] = (await gateway.ask({ headers: { 'X-Forwarded-Proto': 'https' } })).cookies('SERVERID')
      expect(line).not.toContain('Secure')
    })

    test('it has the attributes that were asked for [LB071, LB087, LB171]', async () => {
      const written = await attributes({
        name: 'My.Affinity',
        domain: 'shop.example',
        secure: true,
        httpOnly: false,
        sameSite: 'none',
        partitioned: true,
      })
      expect(new Set(written)).toEqual(
        new Set(['Path=/', 'Domain=shop.example', 'SameSite=None', 'Secure', 'Partitioned']),
      )
      expect(await attributes({ sameSite: 'omit' })).toEqual(['Path=/', 'HttpOnly'])
    })

    test('it lasts as long as the session when it is persistent [LB088, LB114, LB211]', async () => {
      const written = await attributes({ persistent: true, maxLife: '5m' })
      expect(written).toContain('Max-Age=300')
      const expires = written.find(attribute => attribute.startsWith('Expires='))?.slice(8) ?? ''
      expect(Math.abs(Date.parse(expires) - Date.now() - 300_000)).toBeLessThan(5_000)
    })

    test('it is neither read nor written outside its path [LB117, LB118, LB119, LB120]', async () => {
      const backends = await startBackends('w1', 'w2')
      const gateway = await start(backends, { affinity: [{ cookie: { path: '/foo' } }] })
      for (const path of ['/', '/bar', '/foobar']) {
        expect([path, (await gateway.ask({ path })).cookies()]).toEqual([path, []])
      }
      const browser = gateway.browser()
      const here = await browser.visit('/foo')
      for (const path of ['/foo', '/foo/', '/foo/bar', '/foo?bar'])
        expect(await browser.visit(path)).toBe(here)
      const elsewhere = new Set([await browser.visit('/foobar'), await browser.visit('/foobar')])
      expect(elsewhere.size, 'outside, both backends answer').toBe(2)
    })

    test('its value tells neither the name nor the address of the backend [T-10]', async () => {
      // Names that no signature can hold by chance: it has no dashes.
      const backends = await startBackends('eu-shop-1', 'eu-shop-2', 'eu-shop-3')
      const gateway = await start(backends)
      for (const { id, port } of backends) {
        const { cookies } = await gateway.browserOn({ id })
        const value = cookies.get('SERVERID') ?? ''
        expect(value).toMatch(/^[\w!#$%&'()*+./:<=>?@[\]^`{|}~-]{20,128}$/)
        expect(value).not.toContain(id)
        expect(value).not.toContain(String(port))
        expect(Buffer.from(value.split('.')[1] ?? '', 'base64').toString('latin1')).not.toContain('127.0.0.1')
      }
    })

    test('its value shows the name of the backend when it may, and is signed all the same', async () => {
      const gateway = await start(await startBackends('w1', 'w2'), {
        affinity: [{ cookie: { opaque: false } }],
      })
      const browser = await gateway.browserOn({ id: 'w1' })
      const value = browser.cookies.get('SERVERID') ?? ''
      expect(value).toContain('w1')
      const forged = await gateway.ask({ headers: { Cookie: `SERVERID=${value.replace('w1', 'w2')}` } })
      expect(forged.cookies('SERVERID')).toHaveLength(1)
    })

    test.each([200, 204, 206, 301, 302, 304, 400, 401, 404, 500, 502, 503, 504])(
      "it comes with the backend's own %i",
      async status => {
        const gateway = await start([await startBackend('w1', bare(status, { Location: '/elsewhere' }))])
        const answer = await gateway.ask()
        expect(answer.status).toBe(status)
        expect(answer.header('location'), 'is not followed').toBe('/elsewhere')
        expect(answer.cookies('SERVERID')).toHaveLength(1)
      },
    )

    test.each(['GET', 'HEAD', 'OPTIONS', 'POST', 'DELETE'])(
      'it comes with the answer to %s',
      async method => {
        const gateway = await start([await startBackend('w1', bare(200))])
        expect((await gateway.ask({ method })).cookies('SERVERID')).toHaveLength(1)
      },
    )

    test('it comes with the final answer, not with what comes before [T-18]', async () => {
      const early = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n'
      const final = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
      const gateway = await start([await startBackend('w1', rawAnswer(early + final))])
      const { text, answers } = await gateway.raw('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
      expect(answers.map(({ status }) => status)).toEqual([200])
      expect(text.match(/set-cookie/gi)).toHaveLength(1)
      expect(text.toLowerCase().lastIndexOf('http/1.1 200')).toBeLessThan(
        text.toLowerCase().indexOf('set-cookie'),
      )
    })

    test('it comes with the listed methods only [LB026]', async () => {
      const gateway = await start([await startBackend('w1')], {
        affinity: [{ cookie: { onlyMethods: ['POST'] } }],
      })
      expect((await gateway.ask()).cookies()).toEqual([])
      expect((await gateway.ask({ method: 'POST' })).cookies('SERVERID')).toHaveLength(1)
    })

    test('a name that is a member of every object is a name like any other [T-13]', async () => {
      const backends = await startBackends('w1', 'w2')
      const gateway = await start(backends, { affinity: [{ cookie: { name: '__proto__' } }] })
      const browser = await gateway.browserOn({ id: 'w1' })
      expect([await browser.visit(), await browser.visit()]).toEqual(['w1', 'w1'])
    })

    test('a response without a session is the same for all clients: no cookie for a returning client [LB007]', async () => {
      const gateway = await start([await startBackend('w1', echoWith(404))])
      const browser = gateway.browser()
      expect((await browser.ask()).cookies()).toHaveLength(1)
      expect((await browser.ask()).cookies()).toEqual([])
    })
  })
}

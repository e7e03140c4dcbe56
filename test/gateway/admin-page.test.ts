import { describe, expect, test } from 'vitest'
import { startBackend, startBackends } from '../support/backend.ts'
import { fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'
import { Operator } from '../support/operator.ts'
import { hang } from '../support/scripts.ts'

const TOKEN = 'a-token-of-the-tests-01'
const BASIC = { Authorization: `Basic ${Buffer.from(`ops:${TOKEN}`).toString('base64')}` }

describe('the stats page of the admin port', () => {
  test('drains with the token as a password, and no other site has a part in it [T-80, T-81]', async () => {
    const [w1, w2] = await startBackends('w1', 'w2')
    const gateway = await GatewayProcess.start(
      fileOf([w1, w2], { admin: { listen: '127.0.0.1:0', token: TOKEN } }),
    )
    await gateway.browser().visit()
    const stranger = new Operator(gateway.adminPort)
    const refused = await stranger.get()
    expect([refused.status, refused.header('www-authenticate')]).toEqual([
      401,
      'Bearer, Basic realm="limpet"',
    ])
    expect((await stranger.post({ do: 'maint' })).status).toBe(401)

    const operator = new Operator(gateway.adminPort, '/', BASIC)
    const list = await operator.get()
    expect([list.status, list.header('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    expect(list.header('content-security-policy')).toMatch(/^default-src 'none'/)
    expect(list.text).toContain('<tr id="b-web-w2">')
    expect((await operator.get('', { Host: 'evil.example' })).status).toBe(421)
    const fields = { do: 'maint', pool: 'web', backend: 'w1' }
    expect((await operator.post(fields, { Origin: 'http://evil.example' })).status).toBe(403)
    expect((await operator.post(fields)).status).toBe(403)
    await gateway.logged('admin_denied', 4)
    expect((await gateway.admin('PATCH', '/pools/web/backends/w1', { state: 'maint' }, BASIC)).status).toBe(
      401,
    )

    expect((await operator.change('drain', 'w1', '7m')).status).toBe(303)
    expect((await operator.get()).text).toContain('ends in 7 min at most')
    const { body } = await gateway.admin('GET', '/pools/web/backends/w1', undefined, BASIC)
    expect(JSON.parse(body.toString())).toMatchObject({ state: 'drain', requests: 1 })
    expect((await operator.get('?do=drain&pool=web&backend=w1&value=8d')).text).toContain(
      'The deadline takes a duration of 1s to 7d',
    )
  })

  test.each([1, 2])(
    'shows replaced pools until their requests have ended, of %i processes',
    async workers => {
      const w1 = await startBackend('w1', hang)
      const file = fileOf([w1], { workers })
      const gateway = await GatewayProcess.start(file)
      const client = new AbortController()
      const waiting = gateway.ask({ signal: client.signal }).catch(() => 'left')
      await expect.poll(() => w1.seen.length).toBe(1)
      gateway.write(fileOf([w1], { workers }, { maxAttempts: 2 }))
      gateway.signal('SIGHUP')
      await gateway.logged('reloaded')
      const operator = new Operator(gateway.adminPort)
      expect((await operator.get()).text).toContain('<li>web: 1 request left</li>')
      client.abort()
      expect(await waiting).toBe('left')
      await expect.poll(async () => (await operator.get()).text).not.toContain('Replaced pools')
      expect((await operator.change('maint', 'w1')).status).toBe(303)
      expect((await operator.get()).text).toContain('safe to stop')
    },
  )
})

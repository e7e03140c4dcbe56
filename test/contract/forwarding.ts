import { describe, expect, test } from 'vitest'
import { type Backend, startBackend } from '../support/backend.ts'
import { joinedValue } from '../support/header-lines.ts'
import type { RunningGateway, Start } from './start.ts'

/** Fields in which a client claims facts about itself. */
const CLAIMS = {
  'X-Forwarded-For': '10.9.9.9',
  'X-Forwarded-Proto': 'https',
  'X-Forwarded-Host': 'evil.test',
  'X-Forwarded-Port': '443',
  'X-Real-IP': '10.9.9.9',
  Forwarded: 'for=10.9.9.9;proto=https',
}

/** The forwarding fields that a backend gets: none of the client's own claims. */
export function forwarding(start: Start): void {
  async function pair(trustProxy: readonly string[] = []): Promise<{ gateway: RunningGateway; w1: Backend }> {
    const w1 = await startBackend('w1')
    return { gateway: await start([w1], { trustProxy }), w1 }
  }

  /** The fields that say who the client is, by lower-case name. */
  function told({ last: { lines } }: Backend): Record<string, string | undefined> {
    const names = lines.map(([name]) => name.toLowerCase())
    const about = names.filter(name => /^(x[-_](forwarded[-_].*|real[-_]ip)|forwarded)$/.test(name))
    return Object.fromEntries(about.map(name => [name, joinedValue(lines, name)]))
  }

  describe('forwarding fields', () => {
    test('they tell what this gateway has seen [T-22, D-11]', async () => {
      const { gateway, w1 } = await pair()
      await gateway.ask({ headers: { Host: 'shop.example:81' } })
      expect(told(w1)).toEqual({
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-proto': 'http',
        'x-forwarded-host': 'shop.example:81',
        'x-forwarded-port': String(gateway.port),
        'x-real-ip': '127.0.0.1',
      })
    })

    test('a stranger’s own are replaced, whatever their number, case and spelling [T-22, T-34, D-11]', async () => {
      const { gateway, w1 } = await pair()
      await gateway.ask({
        headers: {
          Host: 'a',
          ...CLAIMS,
          'x-forwarded-FOR': ['10.9.9.9', '10.8.8.8'],
          X_Forwarded_For: '10.9.9.9',
          'X-Forwarded_Proto': 'https',
          X_Real_IP: '10.9.9.9',
          'X-Forwarded-Anything': 'x',
        },
      })
      expect(told(w1)).toEqual({
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-proto': 'http',
        'x-forwarded-host': 'a',
        'x-forwarded-port': String(gateway.port),
        'x-real-ip': '127.0.0.1',
      })
    })

    test('a trusted proxy’s are kept and continued [T-22, D-11]', async () => {
      const { gateway, w1 } = await pair(['127.0.0.0/8'])
      await gateway.ask({
        headers: { Host: 'inner', ...CLAIMS, 'X-Forwarded-For': '198.51.100.7, 203.0.113.5' },
      })
      expect(told(w1)).toEqual({
        'x-forwarded-for': '198.51.100.7, 203.0.113.5, 127.0.0.1',
        'x-forwarded-proto': 'https',
        'x-forwarded-host': 'evil.test',
        'x-forwarded-port': '443',
        'x-real-ip': '203.0.113.5',
        forwarded: 'for=10.9.9.9;proto=https, for=127.0.0.1;proto=https',
      })
    })

    test('behind several trusted proxies the first stranger from the right is the client [T-22]', async () => {
      const { gateway, w1 } = await pair(['127.0.0.1', '203.0.113.0/24'])
      await gateway.ask({ headers: { 'X-Forwarded-For': '1.2.3.4, 198.51.100.7, 203.0.113.5' } })
      expect(told(w1)['x-real-ip']).toBe('198.51.100.7')
    })

    test('a proxy that is trusted elsewhere is a stranger here [T-22]', async () => {
      const { gateway, w1 } = await pair(['10.0.0.0/8'])
      await gateway.ask({ headers: CLAIMS })
      expect(told(w1)).toMatchObject({ 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'http' })
    })

    test('invalid fields from a trusted proxy do no harm [T-14, T-22]', async () => {
      const { gateway, w1 } = await pair(['127.0.0.1'])
      for (const value of [
        '',
        ',',
        'unknown',
        '_hidden',
        '[::1',
        '1.2.3.4:5',
        'x'.repeat(4000),
        ' ,'.repeat(2000),
      ]) {
        const answer = await gateway.ask({
          headers: { 'X-Forwarded-For': value, 'X-Forwarded-Proto': value },
        })
        expect(answer.status).toBe(200)
      }
      expect(w1.seen).toHaveLength(8)
    })
  })
}

import { describe, expect, test } from 'vitest'
import { startBackends } from '../support/backend.ts'
import { ADAPTERS, fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'
import { sendRaw } from '../support/raw-client.ts'

const UPGRADE =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n'

describe.each(ADAPTERS)('limpet --adapter %s with routes by path', adapter => {
  test('lets no target pass that a backend may read as another path', async () => {
    const [shop, admin] = await startBackends('shop', 'admin')
    const file = fileOf([shop], {
      pools: {
        shop: { backends: [shop.options], affinity: [{ cookie: { name: 'A' } }] },
        admin: { backends: [admin.options], affinity: [{ cookie: { name: 'B' } }] },
      },
      routes: [{ pool: 'shop' }, { path: '/admin', pool: 'admin' }],
    })
    const gateway = await GatewayProcess.start(file, ['--adapter', adapter])
    async function statusOf(target: string, more = ''): Promise<string> {
      const request = `GET ${target} HTTP/1.1\r\nHost: h\r\n${more === '' ? 'Connection: close\r\n' : more}\r\n`
      return (await sendRaw(gateway.port, request)).text.slice(9, 12)
    }
    for (const target of [
      '/x/../admin',
      '/x/%2e%2E/admin',
      '//admin',
      '/x/..;/admin',
      '/x%2f..%2fadmin',
      'http://h/./admin',
    ]) {
      expect([target, await statusOf(target), await statusOf(target, UPGRADE)]).toEqual([
        target,
        '400',
        '400',
      ])
    }
    expect([shop.seen.length, admin.seen.length]).toEqual([0, 0])
    expect(await statusOf('http://h?/admin')).toBe('200')
    expect(shop.last.url).toBe('/?/admin')
    for (const target of ['/admin', '/%61dmin', '/admin;v=1/x', 'http://h/admin?a=//'])
      expect(await statusOf(target)).toBe('200')
    expect([shop.seen.length, admin.seen.length]).toEqual([1, 4])
  })
})

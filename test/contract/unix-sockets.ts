import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Backend, startBackend } from '../support/backend.ts'
import { joinedValue } from '../support/header-lines.ts'
import { echo } from '../support/scripts.ts'
import type { RunningGateway, Start } from './start.ts'

/** Backends at a path of the file system. */
export function unixSockets(start: Start): void {
  async function pair(): Promise<{ gateway: RunningGateway; w1: Backend; w2: Backend }> {
    const path = join(tmpdir(), `limpet-${process.pid}-${Math.random().toString(36).slice(2)}.sock`)
    const [w1, w2] = [await startBackend('w1', echo, { path }), await startBackend('w2')]
    return { gateway: await start([w1, w2]), w1, w2 }
  }

  describe('a backend at a path', () => {
    test('it has its sessions and its bodies as any other', async () => {
      const { gateway, w1 } = await pair()
      const browser = await gateway.browserOn(w1)
      const answer = await browser.ask({
        method: 'POST',
        body: 'x'.repeat(100_000),
        headers: { Host: 'shop.example' },
      })
      expect(answer.echo).toMatchObject({ id: 'w1', bytes: 100_000 })
      expect(joinedValue(w1.last.lines, 'host')).toBe('shop.example')
    })

    test('it is left for another when it is gone', async () => {
      const { gateway, w1 } = await pair()
      const browser = await gateway.browserOn(w1)
      await w1.refuse()
      const moved = await browser.ask({ method: 'POST', body: 'x' })
      expect(moved.echo).toMatchObject({ id: 'w2', bytes: 1 })
      expect(moved.cookies('SERVERID')).toHaveLength(1)
    })

    test('an old client that names no host is served', async () => {
      const { gateway, w2 } = await pair()
      gateway.pool.remove(w2.id)
      const { answers } = await gateway.raw('GET / HTTP/1.0\r\n\r\n')
      expect(answers[0]?.status).toBe(200)
    })
  })
}

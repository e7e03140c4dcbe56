import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setImmediate as immediately } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { startTunnelBackend, type TunnelBackend } from '../support/tunnel-backend.ts'
import { upgradeClients } from '../support/upgrade-clients.ts'
import { hangUpgrade, switching, webSocketServer } from '../support/upgrade-scripts.ts'
import { expectOver, tunnelOpener } from './open-tunnel.ts'
import type { RunningGateway, Start } from './start.ts'

/** A close frame with 1001, from a server and from a client (RFC 6455 §5.3, §7.4.1). */
const GOING_AWAY = '880203e9'
const MASKED_GOING_AWAY = '88820000000003e9'

/** A WebSocket whose backend, or whose gateway, is to go. */
export function goingAway(start: Start): void {
  const clients = upgradeClients()
  const { raw, web } = clients
  const open = tunnelOpener(start, clients)

  const ways: readonly [string, (gateway: RunningGateway, w1: TunnelBackend) => Promise<unknown>][] = [
    ['the gateway closes', async gateway => gateway.close()],
    [
      'the deadline of a drain has passed',
      async ({ pool }, w1) => pool.drain(w1.id, { deadline: 0 }).drained,
    ],
  ]

  describe('a WebSocket that cannot stay', () => {
    test.each(ways)('is told so on both sides: %s [T-60]', async (_what, go) => {
      const closed: unknown[] = []
      const w1 = await startTunnelBackend(
        'w1',
        webSocketServer(socket => {
          socket.on('close', code => closed.push(code))
          socket.on('message', data => socket.send(data))
        }),
      )
      const gateway = await start([w1])
      const [one, other] = [await web(gateway.port), await web(gateway.port)]
      expect((await one.ask('hello')).toString()).toBe('hello')
      await go(gateway, w1)
      expect([await one.closed, await other.closed]).toEqual([
        { code: 1001, reason: '' },
        { code: 1001, reason: '' },
      ])
      await expect.poll(() => closed, { interval: 5 }).toEqual([1001, 1001])
      if (!gateway.isClosed) await expectOver(gateway)
      expect(w1.tunnels.size).toBe(0)
    })

    test('gets the message that is on its way to the end, and nothing behind it', async () => {
      const { gateway, client, backend } = await open()
      let heard = Buffer.alloc(0)
      backend.socket.on('data', (data: Buffer) => (heard = Buffer.concat([heard, data])))
      // The first half of five bytes of text, either way.
      backend.socket.write(Buffer.from([0x81, 5, 104, 101]))
      await client.until(() => client.behind.endsWith('he'))
      client.socket.write(Buffer.from([0x81, 0x85, 0, 0, 0, 0, 104, 101]))
      await expect.poll(() => heard.length, { interval: 5 }).toBe(8)
      const closing = gateway.close()
      backend.socket.write(Buffer.concat([Buffer.from('llo'), Buffer.from([0x81, 2, 110, 111])]))
      client.socket.write(
        Buffer.concat([Buffer.from('llo'), Buffer.from([0x81, 0x82, 0, 0, 0, 0, 110, 111])]),
      )
      await closing
      expect(Buffer.from(client.behind, 'latin1').toString('hex')).toBe(`810568656c6c6f${GOING_AWAY}`)
      expect(heard.toString('hex')).toBe(`81850000000068656c6c6f${MASKED_GOING_AWAY}`)
    })

    test('gets its message to the end although the backend resets its connection then', async () => {
      const w1 = await startTunnelBackend('w1', handshake => {
        handshake.socket.resume().write(switching(handshake))
      })
      const gateway = await start([w1])
      const connected = once(gateway.server, 'connection') as Promise<[Socket]>
      const client = await raw(gateway.port)
      const [side] = await connected
      const backend = await w1.handshake()
      await client.responded()
      client.socket.pause()
      const size = 20_000
      const head = Buffer.from([0x82, 126, size >> 8, size & 0xff])
      const frame = Buffer.concat([head, Buffer.alloc(size, 'x')])
      backend.socket.write(frame.subarray(0, size / 2))
      while (!side.writableNeedDrain) {
        backend.socket.write(Buffer.concat([frame.subarray(size / 2), frame.subarray(0, size / 2)]))
        await immediately()
      }
      const closing = gateway.close()
      backend.socket.write(frame.subarray(size / 2))
      await expect.poll(() => side.writableEnded, { interval: 5 }).toBe(true)
      expect(side.writableLength).toBeGreaterThan(0)
      backend.socket.resetAndDestroy()
      await backend.over
      await immediately()
      client.socket.resume()
      await closing
      await client.until(() => client.closed)
      expect(client.behind.length % frame.length).toBe(GOING_AWAY.length / 2)
      expect(Buffer.from(client.behind.slice(-5), 'latin1').toString('hex')).toBe(`78${GOING_AWAY}`)
      expect(gateway.view(w1).failures).toBe(0)
    })

    test('is told so when it was accepted after the deadline of a drain', async () => {
      const w1 = await startTunnelBackend('w1', hangUpgrade)
      const gateway = await start([w1])
      const client = await raw(gateway.port)
      const handshake = await w1.handshake()
      const { drained } = gateway.pool.drain('w1', { deadline: 0 })
      await expect.poll(() => gateway.view(w1).state, { interval: 5 }).toBe('maint')
      handshake.socket.write(switching(handshake))
      await client.until(() => client.behind.length >= 4)
      expect(Buffer.from(client.behind, 'latin1').toString('hex')).toBe(GOING_AWAY)
      client.socket.end()
      expect(await drained).toMatchObject({ outcome: 'deadline', inFlight: 0 })
    })

    test('ends before the deadline of a drain when its client goes', async () => {
      const w1 = await startTunnelBackend(
        'w1',
        webSocketServer(() => {}),
      )
      const gateway = await start([w1], { affinity: [] })
      const client = await web(gateway.port)
      const drain = gateway.pool.drain('w1', { deadline: '1h' })
      expect(drain.inFlight).toBe(1)
      client.socket.close(1000)
      expect(await drain.drained).toMatchObject({ outcome: 'drained', inFlight: 0 })
    })
  })
}

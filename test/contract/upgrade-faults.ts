import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FailedEvent } from '@limpet/core'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startBlackHole } from '../support/black-hole.ts'
import { valuesOf } from '../support/header-lines.ts'
import { parseAnswers } from '../support/raw-client.ts'
import type { UpgradeScript } from '../support/handshake.ts'
import { startTunnelBackend, startTunnelBackends } from '../support/tunnel-backend.ts'
import { type RawTunnel, upgradeClients } from '../support/upgrade-clients.ts'
import { acceptEcho, answerUpgrade, hangUpgrade } from '../support/upgrade-scripts.ts'
import { expectOwnAnswer } from './own-answers.ts'
import type { Start } from './start.ts'

/** Delay that a busy machine may add to a timer. */
const SLACK_MS = 1_500

/** Backends that fail before they have accepted a WebSocket. */
export function upgradeFaults(start: Start): void {
  describe('a WebSocket handshake and a backend that', () => {
    const { web, raw } = upgradeClients()

    test('is dead: it goes to another, and so does the session [T-72]', async () => {
      const [w1, w2] = await startTunnelBackends('w1', 'w2')
      const gateway = await start([w1, w2])
      const browser = await gateway.browserOn(w1)
      await w1.refuse()
      const { lines, ask } = await web(gateway.port, {
        headers: { Cookie: browser.cookieHeader },
        perMessageDeflate: false,
      })
      expect(valuesOf(lines, 'set-cookie')).toEqual([expect.stringMatching(/^SERVERID=/)])
      const [cookie = ''] = valuesOf(lines, 'set-cookie')
      expect((await gateway.ask({ headers: { Cookie: cookie.split(';')[0] } })).echo.id).toBe('w2')
      expect([w2.handshakes.length, gateway.view(w1).failures, gateway.view(w2).inFlight]).toEqual([1, 1, 1])
      expect(ask).toBeDefined()
    })

    test('is dead, and the next one, too: it goes to the third, with what follows it [T-72]', async () => {
      const backends = await startTunnelBackends('w1', 'w2', 'w3')
      const gateway = await start(backends)
      for (const dead of backends.slice(0, 2)) await dead.refuse()
      for (let session = 0; session < 4; session += 1) {
        const client = await raw(gateway.port)
        client.write('ping')
        await client.until(() => client.behind === 'ping')
        expect(client.received).toMatch(/^HTTP\/1\.1 101 [^]*\r\nping$/)
      }
      expect(backends[2].handshakes).toHaveLength(4)
    })

    test('cannot be reached: it is passed in time', async () => {
      const w2 = await startTunnelBackend('w2')
      const gateway = await start([await startBlackHole('w1'), w2], { timeouts: { connect: 200 } })
      const startedMs = performance.now()
      expect((await (await raw(gateway.port)).responded()).statusLine).toContain(' 101 ')
      expect(performance.now() - startedMs).toBeLessThan(200 + SLACK_MS)
    })

    test('is dead, and all the others: 502', async () => {
      const backends = await startTunnelBackends('w1', 'w2')
      const gateway = await start(backends)
      for (const dead of backends) await dead.refuse()
      await expectOnlyAnswer(await raw(gateway.port), 502)
      expect(gateway.pool.backends.map(({ failures }) => failures)).toEqual([1, 1])
    })

    test('is not there at all: 503, to be tried again soon [LB150]', async () => {
      const gateway = await start([])
      const lines = await expectOnlyAnswer(await raw(gateway.port), 503)
      expect(valuesOf(lines, 'retry-after')).toEqual(['1'])
    })

    test('is silent: 504 after the response timeout, and no other is tried', async () => {
      const [w1, w2] = await startTunnelBackends('w1', 'w2')
      const gateway = await start([w1, w2], { timeouts: { response: 300 } })
      w1.upgrade = hangUpgrade
      const startedMs = performance.now()
      await expectOnlyAnswer(await raw(gateway.port), 504)
      expect(performance.now() - startedMs).toBeGreaterThan(290)
      expect(performance.now() - startedMs).toBeLessThan(300 + SLACK_MS)
      expect([w2.handshakes.length, gateway.view(w1).failures]).toEqual([0, 1])
    })

    const switching = (...lines: readonly string[]) =>
      ['HTTP/1.1 101 Switching Protocols', ...lines, '', 'raw'].join('\r\n')
    test.each<[string, UpgradeScript]>([
      ['resets', ({ socket }) => void socket.resetAndDestroy()],
      ['hangs up', ({ socket }) => void socket.end()],
      ['hangs up in the middle of its head', answerUpgrade('HTTP/1.1 101 Swi')],
      ['talks nonsense', answerUpgrade('SSH-2.0-OpenSSH_9.2\r\n')],
      [
        'accepts another protocol',
        answerUpgrade(switching('Connection: Upgrade', 'Upgrade: h2c', ''), 'stay'),
      ],
      [
        'accepts two protocols',
        answerUpgrade(switching('Connection: Upgrade', 'Upgrade: websocket, h2c', ''), 'stay'),
      ],
      ['accepts no protocol', answerUpgrade(switching(''), 'stay')],
      ['accepts and forgets Upgrade', answerUpgrade(switching('Connection: Upgrade', ''), 'stay')],
      ['accepts and forgets Connection', answerUpgrade(switching('Upgrade: websocket', ''), 'stay')],
      ['invents a status', answerUpgrade('HTTP/1.1 700 Odd\r\nContent-Length: 3\r\n\r\nodd', 'stay')],
    ])('%s: 502, and no other is tried', async (_how, upgrade) => {
      const [w1, w2] = await startTunnelBackends('w1', 'w2')
      const gateway = await start([w1, w2])
      w1.upgrade = upgrade
      const client = await raw(gateway.port)
      client.write('early')
      await expectOnlyAnswer(client, 502)
      await (
        await w1.handshake()
      ).over
      expect([w1.handshakes.length, w2.handshakes.length]).toEqual([1, 0])
      expect(gateway.view(w1).failures).toBe(1)
    })

    test.each<[string, UpgradeScript]>([
      ['broken', ({ socket }) => void socket.resetAndDestroy()],
      ['protocol', answerUpgrade('SSH-2.0-OpenSSH_9.2\r\n')],
      ['timeout', hangUpgrade],
    ])('fails: the event tells what happened (%s)', async (kind, upgrade) => {
      const [w1, w2] = await startTunnelBackends('w1', 'w2')
      const gateway = await start([w1, w2], { timeouts: { response: 300 } })
      w1.upgrade = upgrade
      const kinds: string[] = []
      const note = (event: unknown): void => void kinds.push((event as FailedEvent).failure.kind)
      subscribe('limpet:failed', note)
      onTestFinished(() => void unsubscribe('limpet:failed', note))
      await expectOnlyAnswer(await raw(gateway.port), kind === 'timeout' ? 504 : 502)
      expect([kinds, w2.handshakes.length]).toEqual([[kind], 0])
    })

    test('says something meanwhile: that is not the answer', async () => {
      const gateway = await start([
        await startTunnelBackend('w1', handshake => {
          handshake.socket.write(
            'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n',
          )
          acceptEcho(handshake)
        }),
      ])
      expect((await (await raw(gateway.port)).responded()).statusLine).toContain(' 101 ')
    })

    test('has closed the connections that were kept: it is asked on one of its own [T-58]', async () => {
      const w1 = await startTunnelBackend('w1')
      const gateway = await start([w1])
      await gateway.ask()
      const [kept] = w1.sockets
      w1.upgrade = handshake => {
        if (handshake.socket === kept) handshake.socket.resetAndDestroy()
        else acceptEcho(handshake)
      }
      expect((await (await raw(gateway.port)).responded()).statusLine).toContain(' 101 ')
      expect(gateway.view(w1).failures).toBe(0)
    })

    test('fails once it has accepted: no other is tried, and the client sees the end [T-72]', async () => {
      const [w1, w2] = await startTunnelBackends('w1', 'w2')
      const gateway = await start([w1, w2])
      const client = await raw(gateway.port)
      await client.responded()
      const { socket } = await w1.handshake()
      socket.resetAndDestroy()
      await client.until(() => false)
      expect([client.closed, client.behind, w2.handshakes.length]).toEqual([true, '', 0])
    })
  })
}

/** One answer of our own, the end of the connection behind it, and nothing besides. */
async function expectOnlyAnswer(client: RawTunnel, status: number): Promise<RawLines> {
  await client.until(() => false, 4_000)
  expect(client.closed, 'the connection ends').toBe(true)
  const [answer, ...others] = parseAnswers(client.received)
  if (answer === undefined) throw new Error(`no answer in ${client.received.slice(0, 200)}`)
  expectOwnAnswer({ ...answer, text: answer.body }, status)
  expect(others).toEqual([])
  expect(client.received).not.toContain(' 101 ')
  expect(client.received.endsWith(answer.body)).toBe(true)
  expect(valuesOf(answer.lines, 'connection')).toEqual(['close'])
  return answer.lines
}

type RawLines = ReturnType<typeof parseAnswers>[number]['lines']

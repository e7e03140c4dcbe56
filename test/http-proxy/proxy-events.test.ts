import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { BackendRequest } from '@limpet/http-proxy'
import { describe, expect, test } from 'vitest'
import { startBackend, startBackends } from '../support/backend.ts'
import { valuesOf } from '../support/header-lines.ts'
import { ask } from '../support/http-client.ts'
import { MOUNTED, type MountOptions } from '../support/mounted-app.ts'
import { hang, resetBeforeHead } from '../support/scripts.ts'
import { startTunnelBackend } from '../support/tunnel-backend.ts'
import { handshakeText, upgradeClients } from '../support/upgrade-clients.ts'
import { acceptWith, answerUpgrade } from '../support/upgrade-scripts.ts'

const { web, raw } = upgradeClients()

type Events = NonNullable<MountOptions['on']>

function fail(): never {
  throw new Error('mine')
}

/** Edits that a header cannot take. */
const BAD_EDITS: readonly [string, (head: BackendRequest) => unknown][] = [
  ['throws', fail],
  ['sets a line break', head => head.setHeader('X-A', 'a\r\nb: c')],
  ['sets a null byte', head => head.setHeader('X-A', '\0')],
  ['sets an object', head => head.setHeader('X-A', {} as never)],
  ['sets a symbol', head => head.setHeader('X-A', Symbol('a') as never)],
  ['appends a symbol', head => head.appendHeader('X-A', Symbol('a') as never)],
  ['sets a list in a list', head => head.setHeader('X-A', [['a']] as never)],
  ['sets a name that is none', head => head.setHeader('X A', 'a')],
  ['removes the host', head => head.removeHeader('host')],
  ['writes a body', head => head.write()],
  ['destroys it', head => head.destroy()],
  ['returns a promise', () => Promise.reject(new Error('late'))],
]

describe.each(MOUNTED)('%s', (_, start) => {
  describe('on.proxyReq', () => {
    test('sees the head for the backend and edits it, and never the framing', async () => {
      const w1 = await startBackend('w1')
      const seen: unknown[] = []
      const { port } = await start([w1], {
        headers: { 'X-Gateway': 'shop' },
        on: {
          proxyReq(head, { url }, { statusCode }) {
            seen.push(head.method, head.path, head.protocol, head.host, url, statusCode > 0)
            seen.push(head.getHeader('x-gateway'), head.getHeader('X-Two'), head.hasHeader('x-none'))
            head.setHeader('X-Set', ['1', '2']).setHeader('x-a', 7).removeHeader('x-gone')
            head.appendHeader('X-Two', 'c').setHeader('Content-Length', 1).setHeader('Transfer-Encoding', 'x')
          },
        },
      })
      const headers = { 'X-A': '1', 'X-Gone': '1', 'X-Two': ['a', 'b'] }
      const answer = await ask(port, { method: 'POST', path: '/x?y', headers, body: 'abc' })
      expect(answer.echo.bytes).toBe(3)
      expect(seen).toEqual(['POST', '/x?y', 'http:', '127.0.0.1', '/x?y', true, 'shop', ['a', 'b'], false])
      const { lines } = w1.last
      const names = ['x-set', 'x-a', 'x-gone', 'x-two', 'content-length', 'transfer-encoding']
      expect(names.map(name => valuesOf(lines, name))).toEqual([
        ['1', '2'],
        ['7'],
        [],
        ['a', 'b', 'c'],
        ['3'],
        [],
      ])
      expect(lines.find(([name]) => name.toLowerCase() === 'x-a')?.[0]).toBe('x-a')
    })

    test('edits each attempt, after a failover too', async () => {
      const backends = await startBackends('w1', 'w2', 'w3')
      await backends[0].refuse()
      backends[1].script = resetBeforeHead
      let count = 0
      const { port } = await start(backends, {
        on: { proxyReq: head => void head.setHeader('X-Attempt', (count += 1)) },
      })
      expect((await ask(port)).echo.id).toBe('w3')
      expect([backends[1], backends[2]].map(({ last }) => valuesOf(last.lines, 'x-attempt'))).toEqual([
        ['1'],
        ['2'],
      ])
    })

    test.each(BAD_EDITS)('that %s is 500, and blames no backend', async (_what, proxyReq) => {
      const backends = await startBackends('w1', 'w2')
      const { port, affinity, errors } = await start(backends, { on: { proxyReq } })
      expect((await ask(port, { method: 'POST', body: 'abc' })).status).toBe(500)
      expect(errors).toHaveLength(1)
      await expect.poll(() => affinity.pool.inFlight).toBe(0)
      for (const { id, seen } of backends) {
        expect([seen, affinity.pool.find(id)?.failures]).toEqual([[], 0])
      }
    })
  })

  describe('on.proxyReqWs, on.open and on.close', () => {
    test('see a handshake, its connection, and the end of it', async () => {
      const w1 = await startTunnelBackend('w1')
      const seen: unknown[] = []
      const closed = Promise.withResolvers<void>()
      const { port } = await start([w1], {
        on: {
          proxyReqWs(head, { url }, socket) {
            seen.push(head.path, url, socket.writable)
            head.setHeader('X-Room', '1').setHeader('Upgrade', 'h2c')
          },
          open: backend => void seen.push(backend.remotePort),
          close({ statusCode }, { destroyed }, head) {
            seen.push(statusCode, destroyed, head.length)
            closed.resolve()
          },
        },
      })
      const tunnel = await raw(port, handshakeText())
      await tunnel.responded()
      const { lines } = await w1.handshake()
      expect([valuesOf(lines, 'x-room'), valuesOf(lines, 'upgrade')]).toEqual([['1'], ['websocket']])
      tunnel.socket.destroy()
      await closed.promise
      expect(seen).toEqual(['/chat', '/chat', true, w1.port, 101, true, 0])
    })

    test.each(BAD_EDITS)('a proxyReqWs that %s is 500, and blames no backend', async (_what, proxyReqWs) => {
      const w1 = await startTunnelBackend('w1')
      const { port, affinity } = await start([w1], { on: { proxyReqWs } })
      const tunnel = await raw(port)
      expect((await tunnel.responded()).statusLine).toBe('HTTP/1.1 500 Internal Server Error')
      await once(tunnel.socket, 'close')
      await expect.poll(() => affinity.pool.inFlight).toBe(0)
      expect([w1.handshakes, affinity.pool.find('w1')?.failures]).toEqual([[], 0])
    })

    test.each([
      ['throws', fail],
      ['rejects', async () => fail()],
    ])('an open that %s cuts the WebSocket, and a close that does is logged', async (_what, listener) => {
      const lines: string[] = []
      const w1 = await startTunnelBackend('w1')
      const logger = { info() {}, warn() {}, error: (line: string) => lines.push(line) }
      const { port, affinity } = await start([w1], {
        logger,
        on: { open: listener, close: listener },
      })
      const tunnel = await raw(port)
      await once(tunnel.socket, 'close')
      await (
        await w1.handshake()
      ).over
      await expect
        .poll(() => lines.toSorted())
        .toEqual(['limpet: on.close has failed: mine', 'limpet: on.open has failed: mine'])
      await expect.poll(() => affinity.pool.inFlight).toBe(0)
    })
  })

  describe('on.error', () => {
    const responding: Events = {
      error(error, _request, response) {
        if ('writeHead' in response) response.writeHead(418).end(error.name)
        else response.end('HTTP/1.1 418 Mine\r\nConnection: close\r\n\r\n')
      },
    }

    test('responds instead, to requests and to handshakes', async () => {
      const w1 = await startTunnelBackend('w1')
      const { port, affinity, errors } = await start([w1], { on: responding })
      await w1.refuse()
      const answer = await ask(port)
      expect([answer.status, answer.text]).toEqual([418, 'BackendFailedError'])
      affinity.pool.remove('w1')
      expect((await ask(port)).text).toBe('NoBackendError')
      expect((await (await raw(port)).responded()).statusLine).toBe('HTTP/1.1 418 Mine')
      expect(errors).toEqual([])
      await expect.poll(() => affinity.pool.inFlight).toBe(0)
    })

    test('that only looks leaves the error to the application, once', async () => {
      const seen: string[] = []
      const { port, errors } = await start([], { on: { error: ({ name }) => void seen.push(name) } })
      expect((await ask(port)).status).toBe(503)
      expect((await (await raw(port)).responded()).statusLine).toMatch(/ 503 /)
      expect([seen, errors.length]).toEqual([['NoBackendError', 'NoBackendError'], 1])
    })

    test('may respond when its promise resolves', async () => {
      const { port, errors } = await start([], {
        on: {
          async error(error, request, response) {
            await new Promise(setImmediate)
            await responding.error?.(error, request, response)
          },
        },
      })
      expect((await ask(port)).status).toBe(418)
      expect((await (await raw(port)).responded()).statusLine).toBe('HTTP/1.1 418 Mine')
      expect(errors).toEqual([])
    })

    test.each([
      ['throws', fail],
      ['rejects', async () => fail()],
    ])('that %s is an error of the application', async (_what, error) => {
      const { port, errors } = await start([], { on: { error } })
      expect((await ask(port)).status).toBe(500)
      expect(errors).toEqual([expect.objectContaining({ message: 'mine' })])
      const tunnel = await raw(port)
      expect((await tunnel.responded()).statusLine).toMatch(/^HTTP\/1\.1 50[03] /)
      await once(tunnel.socket, 'close')
    })

    test('is not told of a client that leaves, and not of a handshake that a backend refuses', async () => {
      const w1 = await startTunnelBackend('w1', answerUpgrade('HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n'))
      w1.script = hang
      const seen: unknown[] = []
      const { port, affinity } = await start([w1], { on: { error: error => void seen.push(error) } })
      const client = await raw(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')
      await w1.arrival()
      client.socket.destroy()
      await expect.poll(() => affinity.pool.inFlight).toBe(0)
      expect((await (await raw(port)).responded()).statusLine).toMatch(/ 403 /)
      expect(seen).toEqual([])
    })
  })

  test('a WebSocket passes all the same', async () => {
    const w1 = await startTunnelBackend('w1', acceptWith())
    const backends: Socket[] = []
    const { port } = await start([w1], { on: { open: socket => void backends.push(socket) } })
    const { lines } = await web(port)
    expect(valuesOf(lines, 'set-cookie')[0]).toMatch(/^SERVERID=/)
    expect(backends).toHaveLength(1)
  })
})

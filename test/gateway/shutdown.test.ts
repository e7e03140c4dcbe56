import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ADAPTERS, fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'
import { openRaw } from '../support/raw-client.ts'
import { startTunnelBackend } from '../support/tunnel-backend.ts'
import { handshakeText, upgradeClients } from '../support/upgrade-clients.ts'
import { hangUpgrade } from '../support/upgrade-scripts.ts'

/** Clients that would keep a gateway from ending. */

const TLS = fileURLToPath(new URL('../support/tls/', import.meta.url))
const CONNECT = 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n'
/** They keep their half of a connection open for ever. */
const STAYING = { allowHalfOpen: true }

function files(backends: Parameters<typeof fileOf>[0], more: object, pool: object = {}): object {
  return { ...fileOf(backends, more, pool), routes: [{ path: '/chat', pool: 'web' }] }
}

describe.each(ADAPTERS)('limpet --adapter %s', adapter => {
  const args = ['--adapter', adapter]
  const { raw } = upgradeClients()

  test('ends after its grace, whatever upgraded connections are doing', async () => {
    const w1 = await startTunnelBackend('w1', hangUpgrade)
    const pool = { maxInFlight: 1, whenFull: 'wait', queueTimeout: '1h', timeouts: { response: '1h' } }
    const gateway = await GatewayProcess.start(files([w1], { shutdownGrace: '300ms' }, pool), args)
    const unrouted = await raw(gateway.port, handshakeText().replace('/chat', '/nowhere'), STAYING)
    const refused = await raw(gateway.port, CONNECT, STAYING)
    await raw(gateway.port, handshakeText(), STAYING)
    await w1.handshake()
    await raw(gateway.port, handshakeText(), STAYING)
    await raw(gateway.adminPort, CONNECT, STAYING)
    expect((await unrouted.responded()).statusLine).toBe('HTTP/1.1 404 Not Found')
    expect((await refused.responded()).statusLine).toBe('HTTP/1.1 501 Not Implemented')
    gateway.signal('SIGTERM')
    await gateway.logged('ending')
    const startedMs = performance.now()
    expect(await gateway.exited).toMatchObject({ code: 0 })
    // A refused connection lingers for 5 s when nothing ends it earlier.
    expect(performance.now() - startedMs).toBeLessThan(4_000)
  })

  test('closes refused upgrades soon, although their clients stay', async () => {
    const w1 = await startTunnelBackend('w1')
    const gateway = await GatewayProcess.start(files([w1], {}), args)
    const unrouted = await raw(gateway.port, handshakeText().replace('/chat', '/nowhere'), STAYING)
    const refused = await raw(gateway.port, CONNECT, STAYING)
    for (const { socket } of [unrouted, refused]) socket.on('end', () => undefined)
    // They go on to write, as a client would that has not understood.
    const writing = setInterval(() => {
      for (const client of [unrouted, refused]) if (client.socket.writable) client.write('x')
    }, 100)
    onTestFinished(() => clearInterval(writing))
    await expect.poll(() => [unrouted.closed, refused.closed], { timeout: 15_000 }).toEqual([true, true])
  })
})

/** Throws where nothing catches it when SIGUSR2 comes, and leaves a server that never closes. */
const BROKEN = `
  import { Server } from 'node:net'
  process.on('SIGUSR2', () => {
    Server.prototype.close = function () { return this }
    throw new Error('broken')
  })`

describe.each([{ workers: 1 }, { workers: 2 }])(
  'limpet with workers: $workers',
  { timeout: 60_000 },
  ({ workers }) => {
    test('exits after an uncaught exception, although what is broken never ends', async () => {
      const w1 = await startTunnelBackend('w1')
      const more = { workers, shutdownGrace: '100ms' }
      const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(BROKEN)}`
      const gateway = await GatewayProcess.start(fileOf([w1], more), [], { NODE_OPTIONS })
      for (const worker of gateway.workers) {
        process.kill(worker, 'SIGUSR2')
        expect(await gateway.logged('worker_exited')).toMatchObject({ code: 1 })
        await gateway.logged('worker_started')
        break
      }
      gateway.signal('SIGUSR2')
      expect(await gateway.logged('uncaught', workers)).toMatchObject({ err: { message: 'broken' } })
      expect(await gateway.exited).toMatchObject({ code: 1 })
    })
  },
)

describe('limpet with TLS', () => {
  test('ends after its grace, although a client has not finished its handshake', async () => {
    const w1 = await startTunnelBackend('w1')
    const tls = { cert: join(TLS, 'certificate.pem'), key: join(TLS, 'key.pem') }
    const more = {
      listen: { port: 0, tls },
      shutdownGrace: '300ms',
      limits: { headersTimeout: '1h' },
    }
    const gateway = await GatewayProcess.start(fileOf([w1], more))
    const silent = await openRaw(gateway.port)
    // The beginning of a ClientHello.
    silent.write('\x16\x03\x01\x02\x00\x01')
    // Not even that.
    await openRaw(gateway.port)
    gateway.signal('SIGTERM')
    expect(await gateway.exited).toMatchObject({ code: 0 })
  })
})

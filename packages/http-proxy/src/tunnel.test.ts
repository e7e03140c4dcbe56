import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { LINGER_MS } from './linger.ts'
import { openTunnel, type Tunnel } from './tunnel.ts'

interface Sides {
  readonly tunnel: Tunnel
  /** The tunnel's own sockets. */
  readonly client: Socket
  readonly backend: Socket
  /** Whoever is at the other end of each. */
  readonly customer: Socket
  readonly app: Socket
}

/** A tunnel between two connections of real sockets, whose peers stay when the other end goes. */
async function open(): Promise<Sides> {
  const server = createServer({ allowHalfOpen: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  async function pair(): Promise<[Socket, Socket]> {
    const accepted = once(server, 'connection') as Promise<[Socket]>
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    const [peer] = await accepted
    await (socket.connecting ? once(socket, 'connect') : undefined)
    for (const one of [socket, peer]) one.on('error', () => {})
    return [socket, peer]
  }
  const [client, customer] = await pair()
  const [backend, app] = await pair()
  onTestFinished(() => {
    for (const socket of [client, customer, backend, app]) socket.destroy()
    server.close()
  })
  return { tunnel: openTunnel(client, backend, 0), client, backend, customer, app }
}

describe('a tunnel that is to go away', () => {
  it('ends in time although a message does not, and both peers stay', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const { tunnel, client, backend, customer, app } = await open()
    app.write(Buffer.from([0x81, 5, 104, 101]))
    const [piece] = (await once(customer, 'data')) as [Buffer]
    expect(piece.length).toBe(4)
    tunnel.goAway()
    vi.advanceTimersByTime(LINGER_MS - 1)
    expect([client.destroyed, backend.destroyed]).toEqual([false, false])
    vi.advanceTimersByTime(1)
    expect([client.destroyed, backend.destroyed]).toEqual([true, true])
  })

  it('gives a large message to a slow reader, and says good-bye behind it', async () => {
    const { tunnel, customer, app } = await open()
    const size = 5_000_000
    const head = Buffer.alloc(10)
    head.set([0x82, 127])
    head.writeBigUInt64BE(BigInt(size), 2)
    customer.pause()
    app.write(Buffer.concat([head, Buffer.alloc(size / 2, 'x')]))
    await vi.waitFor(() => expect(customer.readableLength).toBeGreaterThan(0))
    tunnel.goAway()
    tunnel.goAway()
    app.write(Buffer.alloc(size / 2, 'y'))
    app.write(Buffer.from([0x81, 1, 122]))
    const pieces: Buffer[] = []
    customer.on('data', (piece: Buffer) => pieces.push(piece)).resume()
    await once(customer, 'end')
    const all = Buffer.concat(pieces)
    expect(all.length).toBe(10 + size + 4)
    expect(all.subarray(-5).toString('hex')).toBe('79880203e9')
  })

  it('says nothing more to a side that has been told the end', async () => {
    const { tunnel, client, backend, customer, app } = await open()
    app.end()
    await once(client, 'finish')
    tunnel.goAway()
    customer.resume().end()
    app.resume()
    await Promise.all([client, backend].map(async socket => socket.closed || once(socket, 'close')))
    expect(customer.bytesRead).toBe(0)
  })
})

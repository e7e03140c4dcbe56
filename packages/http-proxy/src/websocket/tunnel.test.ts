import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { LINGER_MS } from '../server/linger.ts'
import { openTunnel, type Tunnel } from './tunnel.ts'

interface Sides {
  readonly tunnel: Tunnel
  /** The tunnel's own sockets. */
  readonly client: Socket
  readonly backend: Socket
  /** The peers of both sides. */
  readonly customer: Socket
  readonly app: Socket
}

/** A tunnel between two connections of real sockets, whose peers stay open when the other end closes. */
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

/** The head of a frame of so many bytes. */
function head(size: number): Buffer {
  const bytes = Buffer.alloc(10)
  bytes.set([0x82, 127])
  bytes.writeBigUInt64BE(BigInt(size), 2)
  return bytes
}

/** All that comes, to the end. */
async function read(socket: Socket): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of socket) pieces.push(piece as Buffer)
  return Buffer.concat(pieces)
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
    customer.pause()
    app.write(Buffer.concat([head(size), Buffer.alloc(size / 2, 'x')]))
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

  it('gives a message to the end to a reader that stops, although its sender has gone', async () => {
    const { tunnel, client, backend, customer, app } = await open()
    const size = 20_000
    const frame = Buffer.concat([head(size), Buffer.alloc(size, 'x')])
    const half = size / 2
    app.resume().write(frame.subarray(0, half))
    while (!client.writableNeedDrain) {
      app.write(Buffer.concat([frame.subarray(half), frame.subarray(0, half)]))
      await once(backend, 'data')
    }
    tunnel.goAway()
    app.end(frame.subarray(half))
    await once(backend, 'close')
    const all = await read(customer)
    expect(all.length % frame.length).toBe(4)
    expect(all.subarray(-5).toString('hex')).toBe('78880203e9')
  })

  it('lets a message in several frames end', async () => {
    const { tunnel, customer, app } = await open()
    app.write(Buffer.from([0x01, 2, 104, 101]))
    await once(customer, 'readable')
    tunnel.goAway()
    // A ping may stand within.
    app.write(Buffer.from([0x89, 0, 0x80, 3, 108, 108, 111, 0x81, 1, 122]))
    expect((await read(customer)).toString('hex')).toBe('01026865890080036c6c6f880203e9')
  })

  it.each([
    ['whole', 4],
    ['in its middle', 3],
  ])('says no second good-bye behind one that is %s', async (_where, cut) => {
    const { tunnel, customer, app } = await open()
    const bye = Buffer.from([0x88, 2, 0x03, 0xe8])
    app.write(bye.subarray(0, cut))
    await once(customer, 'readable')
    tunnel.goAway()
    app.end(bye.subarray(cut))
    expect((await read(customer)).toString('hex')).toBe('880203e8')
  })
})

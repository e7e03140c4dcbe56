import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** Stands before a server, and can hold its replies back. */
export class TcpProxy {
  readonly connections: ProxiedConnection[] = []
  readonly #server: Server
  #isHolding = false

  private constructor(to: number) {
    this.#server = createServer(client => {
      const connection = new ProxiedConnection(client, connect(to, '127.0.0.1'))
      if (this.#isHolding) connection.hold()
      this.connections.push(connection)
    })
  }

  /** @param to the port of the server on this machine */
  static async start(to: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(to)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    onTestFinished(() => {
      proxy.#server.close()
      for (const connection of proxy.connections) connection.close()
    })
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Holds the replies of all connections back, of new ones as well. */
  hold(): void {
    this.#isHolding = true
    for (const connection of this.connections) connection.hold()
  }

  release(): void {
    this.#isHolding = false
    for (const connection of this.connections) connection.release()
  }
}

/** One client of a proxy, and its server. */
export class ProxiedConnection {
  /** All bytes of the client. */
  sent = ''
  readonly #client: Socket
  readonly #server: Socket
  #held: Buffer[] | undefined

  constructor(client: Socket, server: Socket) {
    this.#client = client
    this.#server = server
    for (const socket of [client, server]) socket.setNoDelay().on('error', () => this.close())
    client.on('data', (bytes: Buffer) => {
      this.sent += bytes.toString('latin1')
      server.write(bytes)
    })
    server.on('data', (bytes: Buffer) => {
      if (this.#held === undefined) client.write(bytes)
      else this.#held.push(bytes)
    })
    for (const socket of [client, server]) socket.on('close', () => this.close())
  }

  /** The held bytes of the server. */
  get held(): string {
    return Buffer.concat(this.#held ?? []).toString('latin1')
  }

  hold(): void {
    this.#held ??= []
  }

  /** All held bytes go in one packet. */
  release(): void {
    const held = Buffer.concat(this.#held ?? [])
    this.#held = undefined
    if (held.length > 0) this.#client.write(held)
  }

  close(): void {
    this.#client.destroy()
    this.#server.destroy()
  }
}

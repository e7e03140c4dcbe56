import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { WebSocketServer } from 'ws'

/** A backend that can be killed and started again on its port. The path of a request says what it does. */
export class FaultyBackend {
  readonly id: string
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  #port = 0

  constructor(id: string) {
    this.id = id
  }

  get options(): { readonly id: string; readonly url: string } {
    return { id: this.id, url: `http://127.0.0.1:${this.#port}` }
  }

  get isUp(): boolean {
    return this.#server !== undefined
  }

  async start(): Promise<void> {
    const server = createServer((request, response) => void this.#answer(request, response))
    const tunnels = new WebSocketServer({ server })
    tunnels.on('connection', tunnel => {
      tunnel.on('error', () => tunnel.terminate())
      tunnel.on('message', message => tunnel.send(message))
    })
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('error', () => socket.destroy()).once('close', () => this.#sockets.delete(socket))
    })
    server.listen(this.#port, '127.0.0.1')
    await once(server, 'listening')
    this.#port = (server.address() as AddressInfo).port
    this.#server = server
  }

  /** As `kill -9` does it. */
  async kill(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    const closed = once(server, 'close')
    server.close()
    for (const socket of this.#sockets) socket.resetAndDestroy()
    await closed
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined)
    request.on('error', () => undefined)
    const { url = '/' } = request
    switch (url) {
      case '/slow':
        await delay(200)
        break
      case '/early':
        response.end(this.id)
        return
      case '/reset':
        request.socket.resetAndDestroy()
        return
      case '/cut':
        response.writeHead(200, { 'content-length': 1_000 })
        response.write('x', () => request.socket.resetAndDestroy())
        return
      case '/large':
        response.end(Buffer.alloc(1024 * 1024))
        return
      default:
        break
    }
    request.resume().on('end', () => response.end(this.id))
  }
}

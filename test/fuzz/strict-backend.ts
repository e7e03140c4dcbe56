import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { MalformedMessage, readRequest, type WireMessage } from './wire-message.ts'

/** A response of a backend, byte for byte. */
export interface Said {
  readonly bytes: string
  /** Where the bytes are divided, in parts of a thousand; 1000: not at all. */
  readonly split?: number
  readonly ends?: boolean
}

const OK: Said = { bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: 1\r\n\r\nok' }

/** A backend that reads requests as strictly as the RFCs are written, and answers with any bytes. */
export class StrictBackend {
  /** The whole requests that have arrived, by their request line. */
  readonly seen: string[] = []
  /** Messages that were none. */
  readonly malformed: string[] = []
  answer: (request: WireMessage) => Said = () => OK
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(server: Server) {
    this.#server = server
    server.on('connection', (socket: Socket) => this.#take(socket))
  }

  static async start(): Promise<StrictBackend> {
    const server = createServer({ noDelay: true })
    const backend = new StrictBackend(server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return backend
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #take(socket: Socket): void {
    this.#sockets.add(socket)
    let text = ''
    socket
      .on('error', () => socket.destroy())
      .on('close', () => this.#sockets.delete(socket))
      .on('data', (piece: Buffer) => {
        text += piece.toString('latin1')
        text = this.#read(socket, text)
      })
  }

  /** @returns what is left of it */
  #read(socket: Socket, text: string): string {
    try {
      const request = readRequest(text)
      if (request === undefined) return text
      this.seen.push(request.start)
      if (request.lines.filter(([name]) => name === 'host').length !== 1)
        throw new MalformedMessage(`no one Host: ${request.start}`)
      // A gateway waits for the response before it sends another request.
      if (request.end < text.length)
        throw new MalformedMessage(
          `behind a request: ${JSON.stringify(text.slice(request.end, request.end + 80))}`,
        )
      say(socket, this.answer(request))
      return ''
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error
      this.malformed.push(error.message)
      socket.destroy()
      return ''
    }
  }
}

/** Writes bytes in one piece or in two, and ends the connection behind them where that is asked for. */
export function say(socket: Socket, { bytes, split = 1_000, ends = false }: Said): void {
  const buffer = Buffer.from(bytes, 'latin1')
  const at = Math.floor((buffer.length * split) / 1_000)
  if (at > 0 && at < buffer.length) {
    socket.write(buffer.subarray(0, at))
    setImmediate(() => {
      if (!socket.writable) return
      socket.write(buffer.subarray(at))
      if (ends) socket.end()
    })
    return
  }
  socket.write(buffer)
  if (ends) socket.end()
}

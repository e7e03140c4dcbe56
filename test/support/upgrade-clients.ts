import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { afterEach } from 'vitest'
import { type ClientOptions, WebSocket } from 'ws'
import { headerLines, type HeaderLines } from './header-lines.ts'
import { RawConnection, type RawOptions } from './raw-client.ts'

/** A handshake's lines, and those of these. */
export function handshakeText(...lines: readonly string[]): string {
  return [
    'GET /chat HTTP/1.1',
    'Host: a',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...lines,
    '\r\n',
  ].join('\r\n')
}

/** A WebSocket that is open. */
export interface WebSocketClient {
  readonly socket: WebSocket
  /** The lines that came with the 101. */
  readonly lines: HeaderLines
  /** The next message. */
  readonly receive: () => Promise<Buffer>
  /** Sends a message and gives the next that comes. */
  readonly ask: (data: string | Buffer) => Promise<Buffer>
  /** How it was closed. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
}

export interface AskedSocket extends ClientOptions {
  readonly path?: string
  readonly protocols?: string[]
}

/** A bare connection on which a handshake was sent. */
export class RawTunnel extends RawConnection {
  /** Settles when the head of an answer is there, or none is to come. */
  async responded(): Promise<RawHead> {
    await this.until(received => received.includes('\r\n\r\n'), 4_000)
    return rawHead(this.received)
  }

  /** Bytes behind the head of the response. */
  get behind(): string {
    return this.received.split('\r\n\r\n').slice(1).join('\r\n\r\n')
  }
}

export interface RawHead {
  readonly statusLine: string
  readonly lines: HeaderLines
}

export interface UpgradeClients {
  readonly web: (port: number, asked?: AskedSocket) => Promise<WebSocketClient>
  readonly raw: (port: number, text?: string, options?: RawOptions) => Promise<RawTunnel>
}

/** Clients for the tests of one describe block. They leave as a test ends, before it is looked what they have left behind. */
export function upgradeClients(): UpgradeClients {
  let leave: (() => void)[] = []
  afterEach(() => {
    for (const each of leave) each()
    leave = []
  })
  return {
    async web(port, { path = '/chat', protocols = [], ...options } = {}) {
      const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols, options)
      leave.push(() => socket.terminate())
      return openClient(socket)
    },
    async raw(port, text = handshakeText(), options) {
      const tunnel = new RawTunnel(port, options)
      leave.push(() => tunnel.socket.destroy())
      await once(tunnel.socket, 'connect')
      tunnel.write(text)
      return tunnel
    },
  }
}

async function openClient(socket: WebSocket): Promise<WebSocketClient> {
  const messages: Buffer[] = []
  socket.on('message', (data: Buffer) => messages.push(data))
  const closed = new Promise<{ code: number; reason: string }>(resolve => {
    socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }))
  })
  const upgraded = once(socket, 'upgrade') as Promise<[IncomingMessage]>
  const [[{ rawHeaders }]] = await Promise.all([upgraded, once(socket, 'open')])
  // The other side may go without a word.
  socket.on('error', () => {})
  async function receive(): Promise<Buffer> {
    for (;;) {
      const message = messages.shift()
      if (message !== undefined) return message
      await once(socket, 'message', { signal: AbortSignal.timeout(5_000) })
    }
  }
  return {
    socket,
    lines: headerLines(rawHeaders),
    closed,
    receive,
    async ask(data) {
      socket.send(data)
      return receive()
    },
  }
}

function rawHead(received: string): RawHead {
  const [head = ''] = received.split('\r\n\r\n')
  const [statusLine = '', ...fields] = head.split('\r\n')
  return {
    statusLine,
    lines: fields.map(field => {
      const colon = field.indexOf(':')
      return [field.slice(0, colon), field.slice(colon + 1).trim()] as const
    }),
  }
}

import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Handshake, UpgradeScript } from './handshake.ts'
import { valuesOf } from './header-lines.ts'

/** The head with which a backend accepts a handshake (RFC 6455 §4.2.2), and what it sends right behind it. */
export function switching(
  { lines }: Handshake,
  { extra = [], behind = '' }: { readonly extra?: readonly string[]; readonly behind?: string } = {},
): Buffer {
  const [key = ''] = valuesOf(lines, 'sec-websocket-key')
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  const head = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${accept}`,
    ...extra,
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${behind}`, 'latin1')
}

/** Accepts, and sends back every byte that comes. */
export function acceptEcho(handshake: Handshake): void {
  const { socket } = handshake
  socket.write(switching(handshake))
  socket.pipe(socket)
}

/** Drops what comes, and goes when the other side does. */
export function drain(socket: Socket): Socket {
  return socket.on('end', () => socket.end()).resume()
}

/** Accepts, with more header lines or with something right behind the head; then reads, and goes when the other side does. */
export function acceptWith(more: Parameters<typeof switching>[1] = {}): UpgradeScript {
  return handshake => {
    drain(handshake.socket).write(switching(handshake, more))
  }
}

/** Accepts with these bytes, or refuses, or whatever they mean. */
export function answerUpgrade(bytes: string, then: 'end' | 'stay' = 'end'): UpgradeScript {
  return ({ socket }) => {
    drain(socket).write(Buffer.from(bytes, 'latin1'))
    if (then === 'end') socket.end()
  }
}

/** Says nothing; and reads, so that it hears of the end. */
export const hangUpgrade: UpgradeScript = ({ socket }) => void drain(socket)

/** A server of `ws`, with compression, that sends every message back as it came. */
export function webSocketServer(onOpen: (socket: WebSocket) => void = echoMessages): UpgradeScript {
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: true,
    handleProtocols: protocols => [...protocols].at(-1) ?? false,
  })
  return ({ request, socket, head }) => server.handleUpgrade(request, socket, head, onOpen)
}

function echoMessages(socket: WebSocket): void {
  socket.on('message', (data: Buffer, binary) => socket.send(data, { binary }))
}

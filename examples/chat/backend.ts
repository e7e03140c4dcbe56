import { createServer } from 'node:http'
import { runBackend } from '@limpet-example/demo/process'
import { type WebSocket, WebSocketServer } from 'ws'
import { page } from './page.ts'

/*
 * One chat server, started as `node backend.ts chat1 9001`. The members of a room are in its own memory, so two that
 * come to two servers do not meet: the kind of application that needs affinity. It knows nothing of a gateway.
 */

const [id = 'chat', port = '0'] = process.argv.slice(2)
const rooms = new Map<string, Set<WebSocket>>()
const sockets = new WebSocketServer({ noServer: true, maxPayload: 4_096 })

const server = createServer(({ method, url }, response) => {
  const isPage = (method === 'GET' || method === 'HEAD') && (url === '/' || roomIn(url) !== undefined)
  const [status, type, body] = isPage ? [200, 'text/html', page] : [404, 'text/plain', 'not found\n']
  const headers = { 'Content-Type': `${type}; charset=utf-8`, 'Content-Length': Buffer.byteLength(body) }
  response.writeHead(status, headers).end(body)
})

server.on('upgrade', (request, socket, head) => {
  const name = roomIn(request.url)
  if (name === undefined)
    socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  else sockets.handleUpgrade(request, socket, head, guest => enter(name, guest))
})

/** A room's name is plain enough to be the same in every spelling of an address. */
function roomIn(url = ''): string | undefined {
  return /^\/rooms\/([\w-]{1,40})$/.exec(url)?.[1]
}

function enter(name: string, guest: WebSocket): void {
  const room = rooms.get(name) ?? new Set()
  rooms.set(name, room.add(guest))
  tell(room, { backend: id, here: room.size })
  guest.on('message', (data: Buffer) => tell(room, { text: data.toString() }))
  // `ws` closes a guest who breaks the rules, and says so here.
  guest.on('error', () => {})
  guest.once('close', () => {
    room.delete(guest)
    if (room.size === 0) rooms.delete(name)
    else tell(room, { backend: id, here: room.size })
  })
}

function tell(room: ReadonlySet<WebSocket>, message: object): void {
  for (const guest of room) guest.send(JSON.stringify(message))
}

runBackend(server, port)

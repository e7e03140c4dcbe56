import { randomUUID } from 'node:crypto'
import { writeSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { flushCompileCache } from 'node:module'
import type { AddressInfo, Socket } from 'node:net'

// An import would read all exports of the module, and with `WebSocket` Node loads its own undici: half of a shop's start.
const { createServer } = process.getBuiltinModule('node:http')

/*
 * A shop as a process of its own (see `shop-process.ts`): it keeps each visitor's cart in memory, so a visitor who
 * comes to another shop finds an empty one. Before it does anything with a request it writes its name to the
 * standard output, synchronously, so that its parent knows it even when this process is killed in the middle.
 */
const id = process.argv[2] ?? ''
const carts = new Map<string, number>()

const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, (request, response) => {
  if (request.url === '/health') {
    response.end('well')
    return
  }
  writeSync(1, `${String(request.headers['x-request-id'])}\n`)
  if (request.url === '/poison') {
    request.socket.destroy()
    return
  }
  const visitor = /(?:^|; )visitor=([^;]*)/.exec(request.headers.cookie ?? '')?.[1] ?? sessionOf(request)
  let bytes = 0
  request.on('data', (piece: Buffer) => (bytes += piece.length))
  request.on('end', () => answer(request, response, visitor ?? greet(response), bytes))
  request.on('error', () => {})
})

/** For a client without a cookie jar. An id that this process has not given is none. */
function sessionOf({ headers }: IncomingMessage): string | undefined {
  const session = String(headers['x-session'])
  return carts.has(session) ? session : undefined
}

function greet(response: ServerResponse): string {
  const visitor = randomUUID()
  response.setHeader('Set-Cookie', `visitor=${visitor}; Path=/`)
  response.setHeader('X-Session', visitor)
  return visitor
}

function answer({ method }: IncomingMessage, response: ServerResponse, visitor: string, bytes: number): void {
  const items = (carts.get(visitor) ?? 0) + (method === 'POST' ? 1 : 0)
  carts.set(visitor, items)
  response.setHeader('Content-Type', 'application/json')
  response.end(JSON.stringify({ id, items, bytes }))
}

const sockets = new Set<Socket>()
server.on('connection', socket => {
  sockets.add(socket)
  socket.once('close', () => sockets.delete(socket))
})

let port = Number(process.argv[3] ?? 0)
server.listen(port, '127.0.0.1', () => {
  ;({ port } = server.address() as AddressInfo)
  writeSync(1, `port ${port}\n`)
  // Most shops are killed, and a killed process keeps nothing of what it has compiled for the next one.
  flushCompileCache()
})

process.on('message', what => {
  const done = (): void => void process.send?.('done')
  if (what === 'open') {
    server.listen(port, '127.0.0.1', done)
  } else {
    server.close(done)
    for (const socket of sockets) socket.resetAndDestroy()
  }
})
// The parent is gone.
process.on('disconnect', () => process.exit())

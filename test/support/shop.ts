import { randomUUID } from 'node:crypto'
import { writeSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/*
 * A shop as a process of its own (see `backend-process.ts`): it keeps each visitor's cart in memory, so a visitor who
 * comes to another shop finds an empty one. Before it does anything with a request it writes its name to the
 * standard output, synchronously, so that its parent knows it even when this process is killed in the middle.
 */
const id = process.argv[2] ?? ''
const carts = new Map<string, number>()

const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, (request, response) => {
  writeSync(1, `${String(request.headers['x-request-id'])}\n`)
  const visitor = /(?:^|; )visitor=([^;]*)/.exec(request.headers.cookie ?? '')?.[1]
  let bytes = 0
  request.on('data', (piece: Buffer) => (bytes += piece.length))
  request.on('end', () => answer(request, response, visitor ?? greet(response), bytes))
  request.on('error', () => {})
})

function greet(response: ServerResponse): string {
  const visitor = randomUUID()
  response.setHeader('Set-Cookie', `visitor=${visitor}; Path=/`)
  return visitor
}

function answer({ method }: IncomingMessage, response: ServerResponse, visitor: string, bytes: number): void {
  const items = (carts.get(visitor) ?? 0) + (method === 'POST' ? 1 : 0)
  carts.set(visitor, items)
  response.setHeader('Content-Type', 'application/json')
  response.end(JSON.stringify({ id, items, bytes }))
}

server.listen(0, '127.0.0.1', () => writeSync(1, `port ${(server.address() as AddressInfo).port}\n`))

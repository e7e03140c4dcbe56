/**
 * Three backends that answer at once, so that what is measured is the gateway. They never answer what asks for
 * `/api/hang`, and take every handshake without a word more. All are one process: to wake three costs a gateway
 * twice what it costs to wake one, and a gateway without limpet knows but one.
 */
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

const items = Array.from({ length: 20 }, (_, id) => ({ id, name: `item ${id}`, price: id * 3 }))
const body = Buffer.from(JSON.stringify({ items }))
const answer: RequestListener = (request, response) => {
  request.resume()
  if (request.url === '/api/hang') return
  response.writeHead(200, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': body.length,
    'cache-control': 'no-store',
    etag: '"1f-abc"',
    vary: 'accept-encoding',
  })
  response.end(body)
}

async function start(): Promise<string> {
  const server = createServer({ keepAliveTimeout: 60_000 }, answer)
  server.on('upgrade', (_request, socket) => {
    socket.on('error', () => socket.destroy()).on('end', () => socket.end())
    // Enough for clients that do not look.
    socket
      .resume()
      .write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

process.send?.({ urls: await Promise.all([start(), start(), start()]) })
process.on('disconnect', () => process.exit(0))

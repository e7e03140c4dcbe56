/**
 * A backend that answers at once, so that what is measured is the gateway. It never answers what asks for `/api/hang`,
 * and takes every handshake without a word more.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const items = Array.from({ length: 20 }, (_, id) => ({ id, name: `item ${id}`, price: id * 3 }))
const body = Buffer.from(JSON.stringify({ items }))
const server = createServer((request, response) => {
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
})
server.on('upgrade', (_request, socket) => {
  socket.on('error', () => socket.destroy()).on('end', () => socket.end())
  // Enough for clients that do not look.
  socket
    .resume()
    .write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
})
process.on('disconnect', () => process.exit(0))

import { randomUUID } from 'node:crypto'
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

/*
 * `node shared-shop.ts ID PORT FOLDER`: a shop that keeps nothing in its memory. Each cart is a file of a folder that all
 * shops have, so any of them can take any request.
 */
const [id = 'shop', port = '0', folder = '.'] = process.argv.slice(2)

const server = createServer((request, response) => {
  let body = ''
  request.setEncoding('utf8').on('data', (piece: string) => (body += piece))
  request.on('end', () => {
    const known = /(?:^|; )cart=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1]
    const cart = known ?? randomUUID()
    const file = join(folder, cart)
    if (known === undefined) response.setHeader('Set-Cookie', `cart=${cart}; Path=/`)
    if (request.method === 'POST') {
      appendFileSync(file, `${(JSON.parse(body) as { name: string }).name}\n`)
      response.statusCode = 201
    }
    const items = existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : []
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify({ backend: id, items }))
  })
})

server.listen(Number(port), '127.0.0.1', () => {
  process.send?.({ port: (server.address() as AddressInfo).port })
})
// The process that started it has ended.
process.on('disconnect', () => process.exit())

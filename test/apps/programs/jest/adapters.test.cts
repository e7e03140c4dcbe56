// A CommonJS application under Jest, with the packages as packed: these imports are compiled to require().
import { match, strictEqual } from 'node:assert'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { limpet as forExpress } from '@limpet/express'
import { limpet as forFastify } from '@limpet/fastify'
import { limpet as forKoa } from '@limpet/koa'
import express from 'express'
import fastify from 'fastify'
import Koa from 'koa'

declare function test(name: string, work: () => Promise<void>): void

const pool = {
  secrets: [process.env['LIMPET_SECRET'] ?? ''],
  backends: JSON.parse(process.env['BACKENDS'] ?? '[]') as { id: string; url: string }[],
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

async function visit(port: number): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/cart`, { headers: { connection: 'close' } })
  strictEqual(response.status, 200)
  strictEqual(((await response.json()) as { url: string }).url, '/cart')
  match(response.headers.get('set-cookie') ?? '', /^SERVERID=/)
}

test('Express', async () => {
  const app = express()
  const gateway = forExpress(pool)
  app.use(gateway)
  const server = createServer(app)
  await visit(await portOf(server))
  gateway.close()
  server.close()
})

test('Koa', async () => {
  const app = new Koa()
  const gateway = forKoa(pool)
  app.use(gateway)
  const server = createServer(app.callback())
  await visit(await portOf(server))
  gateway.close()
  server.close()
})

test('Fastify', async () => {
  const app = fastify()
  await app.register(forFastify, pool)
  await app.listen({ port: 0, host: '127.0.0.1' })
  await visit((app.server.address() as AddressInfo).port)
  await app.close()
})

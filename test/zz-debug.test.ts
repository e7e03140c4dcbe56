import type { AddressInfo } from 'node:net'
import { createAffinity } from '@limpet/core'
import limpet, { gatewayServerOptions } from '@limpet/fastify'
import fastify from 'fastify'
import { test } from 'vitest'
import { startBackend } from './support/backend.ts'
import { sendRaw } from './support/raw-client.ts'
async function gw(bs: any[], o: any = {}) {
  const affinity = createAffinity({ secrets: ['a-secret-of-the-tests-0123456789abcdef'], backends: bs.map(b => b.options) })
  const app = fastify(gatewayServerOptions())
  await app.register(limpet, { use: affinity, ...o })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return (app.server.address() as AddressInfo).port
}
test('x', async () => {
  const port = await gw([await startBackend('w1')])
  console.log((await sendRaw(port, 'QUERY /QUERY HTTP/1.1\r\nHost: a\r\n\r\n')).text)
  console.log((await sendRaw(port, 'QUERY /QUERY HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab')).text)
  console.log((await sendRaw(port, 'POST /QUERY HTTP/1.1\r\nHost: a\r\nContent-Type: not a type\r\nContent-Length: 2\r\n\r\nab')).text)
})

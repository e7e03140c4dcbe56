import { once } from 'node:events'
import { writeSync } from 'node:fs'
import { Agent, type ClientRequest, get, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gatewayServerOptions, limpet } from '@limpet/fastify'
import fastify from 'fastify'

/*
 * A gateway as a process of its own that does a little of everything and closes: it has to exit by itself then.
 * Its arguments: the url of a backend whose answer to /events does not end, and a secret. On its standard output: what it did.
 */
const [url = '', secret = ''] = process.argv.slice(2)
const app = fastify(gatewayServerOptions())
await app.register(limpet, { backends: [{ id: 'w1', url }], secrets: [secret] })
await app.listen({ port: 0, host: '127.0.0.1' })
const { port } = app.server.address() as AddressInfo
const agent = new Agent({ keepAlive: true })

for (const method of ['GET', 'POST', 'GET']) {
  const asked = request({ port, agent, method })
  asked.end(method === 'POST' ? 'x'.repeat(200_000) : undefined)
  const [answer] = await responseTo(asked)
  await once(answer.resume(), 'close')
  writeSync(1, `${method} ${answer.statusCode}\n`)
}

const [events] = await responseTo(get({ port, path: '/events' }))
await once(events, 'data')
events.on('error', () => {}).destroy()
await once(events, 'close')
writeSync(1, 'events\n')

// A client and a backend whose connections are idle now, and neither side ends them.
await app.close()
writeSync(1, 'closed\n')

async function responseTo(asked: ClientRequest): Promise<[IncomingMessage]> {
  return (await once(asked, 'response')) as [IncomingMessage]
}

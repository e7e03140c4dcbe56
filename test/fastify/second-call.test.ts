import { createAffinity } from '@limpet/core'
import { limpet } from '@limpet/fastify'
import { expect, test } from 'vitest'
import { startBackend, startBackends } from '../support/backend.ts'
import { listen, namedPool, newApp, poolOf } from '../support/fastify-app.ts'
import { ask } from '../support/http-client.ts'
import { startTunnelBackend } from '../support/tunnel-backend.ts'
import { handshakeText, upgradeClients } from '../support/upgrade-clients.ts'

/** A request that is given to limpet a second time: by mistake, or after a failure. */

const { raw } = upgradeClients()

test('a hook that calls done twice forwards a WebSocket handshake once', async () => {
  const w1 = await startTunnelBackend('w1')
  const affinity = createAffinity(poolOf(w1))
  const app = newApp()
  app.addHook('preHandler', (_request, _reply, done) => {
    done()
    done()
  })
  await app.register(limpet, { use: affinity })
  const { statusLine } = await (await raw(await listen(app), handshakeText())).responded()
  expect([statusLine, w1.handshakes.length, affinity.pool.find('w1')?.inFlight]).toEqual([
    'HTTP/1.1 101 Switching Protocols',
    1,
    1,
  ])
})

test('a hook that calls done twice is named in the log', async () => {
  const lines: string[] = []
  const app = newApp({
    logger: { level: 'error', stream: { write: (line: string) => void lines.push(line) } },
  })

  app.addHook('preHandler', (_request, _reply, done) => {
    done()
    done()
  })
  await app.register(limpet, poolOf(await startBackend('w1')))
  expect((await ask(await listen(app))).status).toBe(200)
  expect(lines.map(line => (JSON.parse(line) as { msg: string }).msg)).toEqual([
    'limpet has this request already and ignores another call; check for a hook that calls done twice, or a handler that calls reply.limpet() twice',
  ])
})

test('an error handler may give a failed request to another pool', async () => {
  const [down, w2] = await startBackends('down', 'w2')
  await down.refuse()
  const app = newApp()
  app.setErrorHandler((_error, _request, reply) => reply.limpet('spare'))
  await app.register(limpet, { ...namedPool('spare', w2), routes: false })
  await app.register(limpet, namedPool('main', down))
  const answer = await ask(await listen(app))
  expect([answer.status, answer.echo.id]).toEqual([200, 'w2'])
})

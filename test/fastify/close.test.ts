import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent } from 'node:http'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { createAffinity } from '@limpet/core'
import { gatewayServerOptions, limpet } from '@limpet/fastify'
import { describe, expect, onTestFinished, test } from 'vitest'
import { SECRET } from '../contract/start.ts'
import { startBackend, startBackends } from '../support/backend.ts'
import { listen, newApp, poolOf } from '../support/fastify-app.ts'
import { ask, open, readToEnd } from '../support/http-client.ts'
import { echo } from '../support/scripts.ts'

describe('closing the app', () => {
  test('ends the idle connections to all backends at once', async () => {
    const backends = await startBackends('w1', 'w2')
    const app = newApp()
    await app.register(limpet, poolOf(...backends))
    const port = await listen(app)
    for (const { id } of backends) expect((await ask(port)).echo.id).toBe(id)
    expect(backends.map(({ sockets }) => sockets.size)).toEqual([1, 1])
    const closings = backends.flatMap(({ sockets }) =>
      [...sockets].map(async socket => once(socket, 'close')),
    )
    const begun = performance.now()
    await app.close()
    await Promise.all(closings)
    // Left to themselves they would go after four seconds.
    expect(performance.now() - begun).toBeLessThan(2_000)
  })

  test('waits for an answer that is on its way', async () => {
    const answering = Promise.withResolvers<() => void>()
    const w1 = await startBackend('w1', ({ response }) => {
      response.write('first ')
      answering.resolve(() => response.end('and last'))
    })
    const app = newApp(gatewayServerOptions())
    await app.register(limpet, poolOf(w1))
    const opened = await open(await listen(app))
    const reading = readToEnd(opened)
    const closed = app.close()
    const finish = await answering.promise
    await once(opened.message, 'data')
    finish()
    expect(Buffer.concat(await reading).toString()).toBe('first and last')
    expect(opened.message.complete).toBe(true)
    await closed
  })

  test('ends the connection of a client that would keep it, with the answer that is on its way', async () => {
    const answering = Promise.withResolvers<() => void>()
    const w1 = await startBackend('w1', ({ response }) => {
      answering.resolve(() => response.end('the last'))
    })
    const app = newApp(gatewayServerOptions())
    await app.register(limpet, poolOf(w1))
    const agent = new Agent({ keepAlive: true })
    onTestFinished(() => agent.destroy())
    const asked = ask(await listen(app), { agent })
    const finish = await answering.promise
    const closed = app.close()
    finish()
    const finished = performance.now()
    const answer = await asked
    expect([answer.text, answer.header('connection')]).toEqual(['the last', 'close'])
    await closed
    // The client alone would keep it for 75 s.
    expect(performance.now() - finished).toBeLessThan(2_000)
  })

  test('is done when the clients of its streams have gone, and the backends know', async () => {
    const w1 = await startBackend('w1', ({ response }) => void response.write('data: 1\n\n'))
    const affinity = createAffinity(poolOf(w1))
    const app = newApp(gatewayServerOptions())
    await app.register(limpet, { use: affinity })
    const { message } = await open(await listen(app))
    await once(message, 'data')
    const closed = app.close()
    message.on('error', () => {}).destroy()
    await closed
    await w1.last.over
    expect(w1.last.aborted).toBe(true)
    expect(affinity.pool.find('w1')?.inFlight).toBe(0)
  })

  test('may cut them short, when the app says so', async () => {
    const w1 = await startBackend('w1', ({ response }) => void response.write('data: 1\n\n'))
    const app = newApp({ ...gatewayServerOptions(), forceCloseConnections: true })
    await app.register(limpet, poolOf(w1))
    const opened = await open(await listen(app))
    const reading = readToEnd(opened)
    await w1.arrival()
    await app.close()
    await reading
    expect(opened.message.complete).toBe(false)
    await w1.last.over
    expect(w1.last.aborted).toBe(true)
  })

  test('leaves nothing that would keep the process alive', async () => {
    const w1 = await startBackend('w1', exchange => {
      if (exchange.seen.url === '/events') exchange.response.write('data: 1\n\n')
      else return echo(exchange)
    })
    const script = fileURLToPath(new URL('../support/closing-gateway.ts', import.meta.url))
    const child = spawn(process.execPath, [script, w1.options.url.toString(), SECRET], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    let closedMs = Number.NaN
    child.stdout.on('data', (said: Buffer) => {
      if (said.toString().includes('closed')) closedMs = performance.now()
    })
    const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
    expect([said, code]).toEqual(['GET 200\nPOST 200\nGET 200\nevents\nclosed\n', 0])
    expect(performance.now() - closedMs).toBeLessThan(2_000)
    expect(w1.sockets.size).toBe(0)
  })

  test('an app that was never started can be closed', async () => {
    const app = newApp()
    await app.register(limpet, poolOf())
    await expect(app.close()).resolves.toBeUndefined()
  })
})

import { once } from 'node:events'
import { Script } from 'node:vm'
import { io, type Socket } from 'socket.io-client'
import { expect, onTestFinished, test } from 'vitest'
import { Browser } from '../support/browser.ts'
import { ask } from '../support/http-client.ts'
import { runExample } from '../support/running-example.ts'

/** `examples/socket-io`: the polls and the WebSocket of a client reach the server that has its notes. */

interface Notes {
  readonly backend: string
  readonly notes: readonly string[]
}

/** A visitor with the page open: its cookies go with each connection. */
async function connect(browser: Browser): Promise<Socket> {
  const socket = io(`http://127.0.0.1:${browser.port}`, {
    forceNew: true,
    reconnection: false,
    extraHeaders: { Cookie: browser.cookieHeader },
  })
  onTestFinished(() => void socket.disconnect())
  await once(socket as never, 'connect')
  return socket
}

async function visit(port: number): Promise<Browser> {
  const browser = new Browser(port)
  expect((await browser.ask()).status).toBe(200)
  return browser
}

async function add(socket: Socket, text: string): Promise<Notes> {
  return (await socket.emitWithAck('add', text)) as Notes
}

test('polls and WebSockets of a visitor reach its notes, until their server is killed', async () => {
  const running = await runExample('examples/socket-io/start.ts')
  const { example, port } = running
  const browsers = [await visit(port), await visit(port), await visit(port)]
  const sockets: Socket[] = []
  for (const browser of browsers) sockets.push(await connect(browser))
  const first: Notes[] = []
  for (const socket of sockets) first.push(await add(socket, 'one'))
  expect(new Set(first.map(({ backend }) => backend)).size).toBe(3)
  const [browser, other] = browsers
  const [socket, untouched] = sockets
  const home = first[0]?.backend ?? ''
  if (browser === undefined || other === undefined || socket === undefined) throw new Error('no visitor')

  await expect.poll(() => socket.io.engine.transport.name).toBe('websocket')
  expect(await add(socket, 'two')).toEqual({ backend: home, notes: ['one', 'two'] })
  socket.disconnect()
  const again = await connect(browser)
  expect(await add(again, 'three')).toEqual({ backend: home, notes: ['one', 'two', 'three'] })

  const { pid } = running.backend(home)
  process.kill(pid, 'SIGUSR2')
  await example.printed(`${home} drains: its visitors stay, and new ones go elsewhere`)
  expect((await add(await connect(browser), 'four')).backend).toBe(home)

  const closed = once(again as never, 'disconnect')
  process.kill(pid, 'SIGKILL')
  await closed
  expect((await browser.ask()).status).toBe(200)
  const moved = await add(await connect(browser), 'five')
  expect([moved.backend === home, moved.notes]).toEqual([false, ['five']])
  expect(await untouched?.emitWithAck('read')).toEqual({ backend: first[1]?.backend, notes: ['one'] })

  // The open connections do not hold the end up.
  example.pressCtrlC()
  expect(await example.ended()).toBe(0)
})

test('the page is served with its script, and bad events change nothing', async () => {
  const { port } = await runExample('examples/socket-io/start.ts')
  const browser = await visit(port)
  const page = await browser.ask()
  const [, script = ''] = /<script>([^]*)<\/script>/.exec(page.text) ?? []
  expect(() => new Script(script)).not.toThrow()
  expect((await browser.ask({ path: '/socket.io/socket.io.js' })).status).toBe(200)
  expect((await ask(port, { path: '/nowhere' })).status).toBe(404)
  const socket = await connect(browser)
  for (const text of [undefined, 5, {}, 'x'.repeat(201)])
    expect(((await socket.emitWithAck('add', text)) as Notes).notes).toEqual([])
  // An event without a function for the reply.
  socket.emit('add', 'kept')
  expect(((await socket.emitWithAck('read')) as Notes).notes).toEqual(['kept'])
})

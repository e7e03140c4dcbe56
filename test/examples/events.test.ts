import type { IncomingMessage } from 'node:http'
import { Script } from 'node:vm'
import { expect, onTestFinished, test } from 'vitest'
import { Browser } from '../support/browser.ts'
import { ask, open } from '../support/http-client.ts'
import { runExample } from '../support/running-example.ts'

/** `examples/events`: a visitor's stream of events comes back to the server that has the events. */

/** A stream that is open. */
class EventStream {
  readonly #message: IncomingMessage
  #text = ''

  private constructor(message: IncomingMessage) {
    this.#message = message
    message.setEncoding('utf8').on('data', (piece: string) => (this.#text += piece))
    message.on('error', () => {})
    onTestFinished(() => void message.destroy())
  }

  static async open(browser: Browser, lastEventId?: number): Promise<EventStream> {
    const headers = {
      Cookie: browser.cookieHeader,
      ...(lastEventId !== undefined && { 'Last-Event-ID': lastEventId }),
    }
    const { message } = await open(browser.port, { path: '/events', headers })
    expect([message.statusCode, message.headers['content-type']]).toEqual([200, 'text/event-stream'])
    return new EventStream(message)
  }

  get events(): readonly { readonly id: number; readonly backend: string; readonly text: string }[] {
    return [...this.#text.matchAll(/^id: (\d+)\ndata: (.*)$/gm)].map(([, id, data = '']) => {
      const { backend, text } = JSON.parse(data) as { backend: string; text: string }
      return { id: Number(id), backend, text }
    })
  }

  /** Settles when these are the texts of its events. */
  async has(...texts: readonly string[]): Promise<void> {
    await expect.poll(() => this.events.map(({ text }) => text)).toEqual(texts)
  }

  async closed(): Promise<void> {
    // Not once() of node:events: it rejects when the stream is cut, and that is how it ends.
    const closed = Promise.withResolvers<void>()
    this.#message.once('close', closed.resolve)
    if (!this.#message.closed) await closed.promise
  }

  close(): void {
    this.#message.destroy()
  }
}

async function say(browser: Browser, text: string): Promise<string> {
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
  const answer = await browser.ask({ method: 'POST', path: '/events', headers, body: `text=${text}` })
  expect(answer.status).toBe(201)
  return (JSON.parse(answer.text) as { backend: string }).backend
}

test('a stream comes back to the events that it has missed, until their server is killed', async () => {
  const running = await runExample('examples/events/start.ts')
  const { example, port } = running
  const browsers = [1, 2, 3].map(() => new Browser(port))
  const homes: string[] = []
  for (const browser of browsers) homes.push(await say(browser, 'hello'))
  expect(new Set(homes).size).toBe(3)
  const [browser, other] = browsers
  const home = homes[0] ?? ''
  if (browser === undefined || other === undefined) throw new Error('no browser')

  const stream = await EventStream.open(browser)
  await stream.has('hello')
  await say(browser, 'two')
  await stream.has('hello', 'two')
  stream.close()
  await say(browser, 'missed')
  const again = await EventStream.open(browser, 2)
  await again.has('missed')
  expect(again.events).toEqual([{ id: 3, backend: home, text: 'missed' }])

  const { pid } = running.backend(home)
  process.kill(pid, 'SIGUSR2')
  await example.printed(`${home} drains: its visitors stay, and new ones go elsewhere`)
  expect(await say(browser, 'draining')).toBe(home)
  await again.has('missed', 'draining')

  const untouched = await EventStream.open(other)
  process.kill(pid, 'SIGKILL')
  await again.closed()
  const moved = await say(browser, 'moved')
  expect(moved).not.toBe(home)
  const elsewhere = await EventStream.open(browser)
  await elsewhere.has('moved')
  expect(elsewhere.events).toEqual([{ id: 1, backend: moved, text: 'moved' }])
  await say(other, 'still here')
  await untouched.has('hello', 'still here')

  // The open streams do not hold the end up.
  example.pressCtrlC()
  expect(await example.ended()).toBe(0)
})

test('the page is served, and bad requests are refused', async () => {
  const { port } = await runExample('examples/events/start.ts')
  const page = await ask(port)
  const [, script = ''] = /<script>([^]*)<\/script>/.exec(page.text) ?? []
  expect(() => new Script(script)).not.toThrow()
  for (const body of ['', 'x=1', `text=${'x'.repeat(1_000)}`])
    expect((await ask(port, { method: 'POST', path: '/events', body })).status).toBe(400)
  expect((await ask(port, { path: '/nowhere' })).status).toBe(404)
  expect((await ask(port, { path: '/healthz' })).text).toBe('{"status":"ok"}')
})

import { once } from 'node:events'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { valuesOf } from '../support/header-lines.ts'
import { type StartedProgram, startProgram } from './started-program.ts'

/** A finished span, as the program reports it. */
interface Span {
  readonly name: string
  /** As `SpanKind` of @opentelemetry/api numbers them. */
  readonly kind: number
  readonly attributes: Readonly<Record<string, unknown>>
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  /** As `SpanStatusCode` numbers them. */
  readonly statusCode: number
}

const [SERVER, CLIENT] = [1, 2]
const [UNSET, ERROR] = [0, 2]
const RESEND_COUNT = 'http.request.resend_count'

describe.each([
  ['Fastify', 'telemetry-fastify.cjs'],
  ['Express', 'telemetry-express.cjs'],
  ['Koa', 'telemetry-koa.cjs'],
])('OpenTelemetry in an application on %s', (_name, file) => {
  const program = startProgram(file)

  test('sends the backend exactly one traceparent, with the client span', async () => {
    await spansOf(program)
    const { echo } = await program.ask({ path: '/shop' })
    const { clients } = await trace(program)
    const lines = valuesOf(program.backend(echo.id).last.lines, 'traceparent')
    expect(lines).toEqual([traceparentOf(clients[0])])
  })

  test('continues the trace of the client', async () => {
    await spansOf(program)
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const { echo } = await program.ask({ path: '/shop', headers: { traceparent } })
    const { clients } = await trace(program)
    expect(clients[0]?.traceId).toBe('0af7651916cd43dd8448eb211c80319c')
    const lines = valuesOf(program.backend(echo.id).last.lines, 'traceparent')
    expect(lines).toEqual([traceparentOf(clients[0])])
  })

  test('has one server span, and under it one client span with the address and the path of the backend', async () => {
    await spansOf(program)
    const { echo } = await program.ask({ path: '/shop?page=2' })
    const { server, clients, ancestors } = await trace(program)
    const { port } = program.backend(echo.id)
    expect(clients.map(urlOf)).toEqual([`http://127.0.0.1:${port}/shop?page=2`])
    expect(clients[0]?.attributes[RESEND_COUNT]).toBeUndefined()
    expect(ancestors(clients[0])).toContain(server?.spanId)
  })

  test.each([
    ['GET', {}],
    ['POST', { method: 'POST', body: 'two apples' }],
  ])('has one client span for each attempt at a %s', async (_method, asked) => {
    const browser = program.browser()
    const gone = program.backend(await browser.visit('/shop'))
    await spansOf(program)
    await gone.refuse()
    onTestFinished(async () => gone.listen())
    const { echo } = await browser.ask({ path: '/shop', ...asked })
    const { server, clients, ancestors } = await trace(program)
    const other = program.backend(echo.id)
    expect(clients.map(urlOf)).toEqual([gone, other].map(({ port }) => `http://127.0.0.1:${port}/shop`))
    expect(clients.map(({ attributes }) => attributes[RESEND_COUNT])).toEqual([undefined, 1])
    expect(clients.map(({ statusCode }) => statusCode)).toEqual([ERROR, UNSET])
    for (const client of clients) expect(ancestors(client)).toContain(server?.spanId)
    expect(clients.map(({ parentSpanId }) => parentSpanId)).toEqual(
      clients.map(() => clients[0]?.parentSpanId),
    )
    expect(valuesOf(other.last.lines, 'traceparent')).toEqual([traceparentOf(clients[1])])
  })

  test('has one client span for each attempt at a WebSocket handshake', async () => {
    const browser = program.browser()
    const gone = program.backend(await browser.visit('/shop'))
    await gone.refuse()
    onTestFinished(async () => gone.listen())
    await spansOf(program)
    const socket = new WebSocket(`ws://127.0.0.1:${program.port}/live`, {
      headers: { cookie: browser.cookieHeader },
    })
    onTestFinished(() => socket.terminate())
    await once(socket, 'open')
    const other = program.backends.find(backend => backend !== gone)
    const clients = await clientSpans(program, 2)
    expect(clients.map(urlOf)).toEqual([gone, other].map(backend => `http://127.0.0.1:${backend?.port}/live`))
    expect(clients.map(({ attributes }) => attributes[RESEND_COUNT])).toEqual([undefined, 1])
    const { lines } = other?.handshakes.at(-1) ?? {}
    expect(valuesOf(lines ?? [], 'traceparent')).toEqual([traceparentOf(clients[1])])
  })
})

/** The spans that have finished since the last call. */
async function spansOf(program: StartedProgram): Promise<readonly Span[]> {
  const { spans } = (await program.reply('spans')) as { spans: readonly Span[] }
  return spans
}

/** The spans of the request that was made last, once its server span has finished. */
async function trace(program: StartedProgram) {
  const all: Span[] = []
  while (!all.some(({ kind }) => kind === SERVER)) all.push(...(await spansOf(program)))
  expect(all.filter(({ kind }) => kind === SERVER)).toHaveLength(1)
  /** The ids of the spans above `span`. */
  function ancestors(span: Span | undefined): readonly string[] {
    const parent = all.find(({ spanId }) => spanId === span?.parentSpanId)
    return parent === undefined ? [] : [parent.spanId, ...ancestors(parent)]
  }
  return {
    server: all.find(({ kind }) => kind === SERVER),
    clients: all.filter(({ kind }) => kind === CLIENT),
    ancestors,
  }
}

/** The client spans that have finished since the last call, once there are `count`. */
async function clientSpans(program: StartedProgram, count: number): Promise<readonly Span[]> {
  const found: Span[] = []
  while (found.length < count) found.push(...(await spansOf(program)).filter(({ kind }) => kind === CLIENT))
  return found
}

function traceparentOf(span: Span | undefined): string {
  return `00-${span?.traceId}-${span?.spanId}-01`
}

function urlOf({ attributes }: Span): unknown {
  return attributes['url.full'] ?? attributes['http.url']
}

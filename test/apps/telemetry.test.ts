import { describe, expect, test } from 'vitest'
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
}

const [SERVER, CLIENT] = [1, 2]

describe.each([
  ['Fastify', 'telemetry-fastify.cjs'],
  ['Express', 'telemetry-express.cjs'],
  ['Koa', 'telemetry-koa.cjs'],
])('OpenTelemetry in an application on %s', (_name, file) => {
  const program = startProgram(file)

  test('sends the backend exactly one traceparent, with the client span', async () => {
    await spansOf(program)
    const { echo } = await program.ask({ path: '/shop' })
    const client = (await spansOf(program)).find(({ kind }) => kind === CLIENT)
    const lines = valuesOf(program.backend(echo.id).last.lines, 'traceparent')
    expect(lines).toEqual([`00-${client?.traceId}-${client?.spanId}-01`])
  })

  test('continues the trace of the client', async () => {
    await spansOf(program)
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const { echo } = await program.ask({ path: '/shop', headers: { traceparent } })
    const client = (await spansOf(program)).find(({ kind }) => kind === CLIENT)
    expect(client?.traceId).toBe('0af7651916cd43dd8448eb211c80319c')
    const lines = valuesOf(program.backend(echo.id).last.lines, 'traceparent')
    expect(lines).toEqual([`00-${client?.traceId}-${client?.spanId}-01`])
  })
})

describe('the client spans of OpenTelemetry in an application on Fastify', () => {
  const program = startProgram('telemetry-fastify.cjs')

  test('has one server span, and under it one client span with the address and the path of the backend', async () => {
    await spansOf(program)
    const { echo } = await program.ask({ path: '/shop?page=2' })
    const found = await spansOf(program)
    const servers = found.filter(({ kind }) => kind === SERVER)
    const clients = found.filter(({ kind }) => kind === CLIENT)
    expect([servers.length, clients.length]).toEqual([1, 1])
    const [server, client] = [servers[0], clients[0]]
    expect(client?.traceId).toBe(server?.traceId)
    expect(ancestors(client, found)).toContain(server?.spanId)
    const { port } = program.backend(echo.id)
    expect(urlOf(client)).toBe(`http://127.0.0.1:${port}/shop?page=2`)
  })

  test('has one client span for each attempt', async () => {
    const browser = program.browser()
    const gone = program.backend(await browser.visit('/shop'))
    await spansOf(program)
    await gone.refuse()
    const { echo } = await browser.ask({ path: '/shop' })
    const found = await spansOf(program)
    const clients = found.filter(({ kind }) => kind === CLIENT)
    await gone.listen()
    expect(clients.map(urlOf)).toEqual(
      [gone, program.backend(echo.id)].map(({ port }) => `http://127.0.0.1:${port}/shop`),
    )
    const server = found.find(({ kind }) => kind === SERVER)
    for (const client of clients) expect(ancestors(client, found)).toContain(server?.spanId)
  })
})

/** The spans that have finished since the last call. */
async function spansOf(program: StartedProgram): Promise<readonly Span[]> {
  const { spans } = (await program.reply('spans')) as { spans: readonly Span[] }
  return spans
}

function urlOf(span: Span | undefined): unknown {
  const { attributes = {} } = span ?? {}
  return attributes['url.full'] ?? attributes['http.url']
}

/** The ids of the spans above `span`. */
function ancestors(span: Span | undefined, all: readonly Span[]): readonly string[] {
  const parent = all.find(({ spanId }) => spanId === span?.parentSpanId)
  return parent === undefined ? [] : [parent.spanId, ...ancestors(parent, all)]
}

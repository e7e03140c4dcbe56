import { describe, expect, test } from 'vitest'
import { valuesOf } from '../support/header-lines.ts'
import { startProgram } from './started-program.ts'

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

const CLIENT = 2

describe.each([
  ['Fastify', 'telemetry-fastify.cjs'],
  ['Express', 'telemetry-express.cjs'],
  ['Koa', 'telemetry-koa.cjs'],
])('OpenTelemetry in an application on %s', (_name, file) => {
  const program = startProgram(file)

  async function spans(): Promise<readonly Span[]> {
    const { spans: found } = (await program.reply('spans')) as { spans: readonly Span[] }
    return found
  }

  test('sends the backend exactly one traceparent, with the client span', async () => {
    await spans()
    const { echo } = await program.ask({ path: '/shop' })
    const client = (await spans()).find(({ kind }) => kind === CLIENT)
    const lines = valuesOf(program.backend(echo.id).last.lines, 'traceparent')
    expect(lines).toEqual([`00-${client?.traceId}-${client?.spanId}-01`])
  })

  test('continues the trace of the client', async () => {
    await spans()
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const { echo } = await program.ask({ path: '/shop', headers: { traceparent } })
    const client = (await spans()).find(({ kind }) => kind === CLIENT)
    expect(client?.traceId).toBe('0af7651916cd43dd8448eb211c80319c')
    const lines = valuesOf(program.backend(echo.id).last.lines, 'traceparent')
    expect(lines).toEqual([`00-${client?.traceId}-${client?.spanId}-01`])
  })
})

import { once } from 'node:events'
import { type Agent, type IncomingMessage, type OutgoingHttpHeaders, request as httpRequest } from 'node:http'
import { Readable } from 'node:stream'
import { headerLines, type HeaderLines, valuesOf } from './header-lines.ts'
import type { Echo } from './scripts.ts'

export interface Asked {
  readonly method?: string
  readonly path?: string
  readonly headers?: OutgoingHttpHeaders
  /** Bytes go with a Content-Length, pieces go chunked. */
  readonly body?: string | Buffer | Iterable<Buffer> | AsyncIterable<Buffer>
  /** Absent: a connection of its own. */
  readonly agent?: Agent
  readonly signal?: AbortSignal
}

/** An answer, to its end or to where it was cut. */
export interface BackendResponse {
  readonly status: number
  readonly lines: HeaderLines
  readonly body: Buffer
  /** False when the connection went away before the end. */
  readonly complete: boolean
  readonly trailers: HeaderLines
  /** The statuses of what came before the answer, such as 103. */
  readonly informational: readonly number[]
  /** From the request's first byte to the answer's last. */
  readonly elapsedMs: number
  readonly text: string
  /** The value of the only line of this name. */
  header(name: string): string | undefined
  /** The report of `echo`. */
  readonly echo: Echo
  /** Lines of Set-Cookie that set a cookie of this name; of any, when there is no name. */
  cookies(name?: string): readonly string[]
}

/** Asks and reads the whole answer. Rejects when there was none. */
export async function ask(port: number, asked: Asked = {}): Promise<BackendResponse> {
  const opened = await open(port, asked)
  return answer(opened, await readToEnd(opened))
}

/** The body, to its end or to where it is cut; `message.complete` tells which. */
export async function readToEnd({ message }: Opened): Promise<readonly Buffer[]> {
  const pieces: Buffer[] = []
  message.on('data', (piece: Buffer) => pieces.push(piece)).on('error', () => {})
  const closed = Promise.withResolvers<void>()
  message.once('close', closed.resolve)
  if (!message.closed) await closed.promise
  return pieces
}

export interface Opened {
  readonly message: IncomingMessage
  readonly informational: readonly number[]
  readonly startedMs: number
}

/** Sends a request and resolves with the head of the response, for a caller that reads the body itself. */
export async function open(port: number, { body, signal, agent, ...asked }: Asked = {}): Promise<Opened> {
  const startedMs = performance.now()
  const informational: number[] = []
  const sent = httpRequest({
    host: '127.0.0.1',
    port,
    agent: agent ?? false,
    ...asked,
    ...(signal && { signal }),
  })
  sent.on('information', ({ statusCode }) => informational.push(statusCode))
  // `once` takes the first error; a later one belongs to the answer, which is cut by it.
  sent.on('error', () => {})
  const responded = once(sent, 'response', { signal: AbortSignal.timeout(15_000) }) as Promise<
    [IncomingMessage]
  >
  if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) sent.end(body)
  else Readable.from(body).pipe(sent)
  const [message] = await responded
  return { message, informational, startedMs }
}

function answer({ message, informational, startedMs }: Opened, pieces: readonly Buffer[]): BackendResponse {
  const lines = headerLines(message.rawHeaders)
  const body = Buffer.concat(pieces)
  return {
    status: message.statusCode ?? 0,
    lines,
    body,
    complete: message.complete,
    trailers: headerLines(message.rawTrailers),
    informational,
    elapsedMs: performance.now() - startedMs,
    get text() {
      return body.toString()
    },
    header(name) {
      const values = valuesOf(lines, name)
      if (values.length > 1) throw new Error(`${name} stands ${values.length} times: ${values.join(' | ')}`)
      return values[0]
    },
    get echo() {
      return JSON.parse(body.toString()) as Echo
    },
    cookies: name =>
      valuesOf(lines, 'set-cookie').filter(line => name === undefined || line.startsWith(`${name}=`)),
  }
}

import { once } from 'node:events'
import {
  type ClientHttp2Session,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2'
import { onTestFinished } from 'vitest'
import type { Echo } from './scripts.ts'
import { testCertificate } from './tls.ts'

type Fields = IncomingHttpHeaders & { readonly ':status'?: number }

export interface Http2Answer {
  readonly status: number | undefined
  readonly fields: Fields
  readonly trailers: IncomingHttpHeaders
  readonly text: string
  /** The report of `echo`. */
  readonly echo: Echo
}

/** An HTTP/2 connection to 127.0.0.1, closed when the test ends. */
export async function connectHttp2(port: number): Promise<ClientHttp2Session> {
  const session = connect(`https://127.0.0.1:${port}`, { ca: testCertificate.cert })
  onTestFinished(() => session.destroy())
  await once(session, 'connect')
  return session
}

/** Asks on a stream of its own and reads the whole answer. Rejects when there is none. */
export async function askHttp2(
  session: ClientHttp2Session,
  fields: OutgoingHttpHeaders = {},
  body?: string | readonly string[],
): Promise<Http2Answer> {
  const stream = session.request(fields, { endStream: body === undefined })
  const responded = once(stream, 'response', { signal: AbortSignal.timeout(5_000) })
  for (const piece of body === undefined ? [] : [body].flat()) stream.write(piece)
  if (body !== undefined) stream.end()
  const [head] = (await responded) as [Fields]
  let trailers: IncomingHttpHeaders = {}
  stream.once('trailers', (received: IncomingHttpHeaders) => (trailers = received))
  const pieces: Buffer[] = []
  for await (const piece of stream) pieces.push(piece as Buffer)
  const text = Buffer.concat(pieces).toString()
  return {
    status: head[':status'],
    fields: head,
    trailers,
    text,
    get echo() {
      return JSON.parse(text) as Echo
    },
  }
}

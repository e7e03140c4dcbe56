import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Readable, Transform } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
// Not by name: a Node without zstd would not load the module.
import zlib from 'node:zlib'
import { putHead } from '../exchange/response.ts'
import { protocolError } from '../failure.ts'

/** Returns the body for the client, given the backend's as a whole and without its coding. */
export type Interceptor<
  Request extends IncomingMessage = IncomingMessage,
  Response extends ServerResponse = ServerResponse,
> = (
  body: Buffer,
  proxyRes: IncomingMessage,
  request: Request,
  response: Response,
) => Buffer | string | Promise<Buffer | string>

/**
 * A listener for `on.proxyRes` that changes bodies, for `selfHandleResponse: true`, as http-proxy-middleware has it.
 * Each body is held in memory, and one in gzip, deflate, brotli or zstd is decompressed. The response goes out without
 * a content coding and trailers. Responses without a body pass as they are.
 * @param interceptor an error that it throws is the application's: nothing of the response has been sent by then
 */
export function responseInterceptor<Request extends IncomingMessage, Response extends ServerResponse>(
  interceptor: Interceptor<Request, Response>,
): (proxyRes: IncomingMessage, request: Request, response: Response) => Promise<void> {
  return async (proxyRes, request, response) => {
    const { statusCode = 200 } = proxyRes
    if (isBodiless(request.method, statusCode)) {
      proxyRes.resume()
      putHead(response, { statusCode, headers: { ...proxyRes.headers } })
      response.end()
      return
    }
    const body = await wholeBody(proxyRes)
    const bytes = Buffer.from(await interceptor(body, proxyRes, request, response))
    const {
      'content-encoding': _coding,
      'content-length': _length,
      trailer: _trailer,
      ...headers
    } = proxyRes.headers
    if (response.headersSent || response.destroyed) return
    putHead(response, { statusCode, headers })
    response.setHeader('content-length', bytes.length)
    response.end(bytes)
  }
}

/** @throws where the backend fails in the middle, or the coding is broken */
async function wholeBody(proxyRes: IncomingMessage): Promise<Buffer> {
  const decoder = DECODERS.get(proxyRes.headers['content-encoding']?.trim().toLowerCase() ?? '')?.()
  if (decoder === undefined) return buffer(proxyRes as Readable)
  try {
    const [body] = await Promise.all([buffer(decoder), pipeline(proxyRes, decoder)])
    return body
  } catch {
    throw protocolError('a body in a broken coding')
  }
}

const DECODERS: ReadonlyMap<string, () => Transform> = new Map<string, () => Transform>([
  ['gzip', zlib.createGunzip],
  ['x-gzip', zlib.createGunzip],
  ['deflate', zlib.createInflate],
  ['br', zlib.createBrotliDecompress],
  ['zstd', zlib.createZstdDecompress],
])

function isBodiless(method: string | undefined, statusCode: number): boolean {
  return method === 'HEAD' || statusCode === 204 || statusCode === 205 || statusCode === 304
}

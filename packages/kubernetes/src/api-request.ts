import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Access } from './cluster.ts'

/** An API server has responded, and not with 200. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  /** Milliseconds that the API server asks to wait; undefined: it does not say. */
  readonly retryAfterMs: number | undefined

  constructor(status: number, said: string, retryAfterMs?: number) {
    super(`the API server said ${status}${said === '' ? '' : `: ${said}`}${HINTS[status] ?? ''}`)
    this.status = status
    this.retryAfterMs = retryAfterMs
  }
}

const HINTS: Readonly<Record<number, string>> = {
  401: '; is the token still valid?',
  403: '; bind a Role with list and watch on endpointslices.discovery.k8s.io to the service account',
}

/** Of the explanation of an error. */
const MAX_ERROR_BYTES = 16_384
/** A connection that is cut without a word is found out after this long (and ten probes, a second apart). */
const KEEP_ALIVE_MS = 15_000

/**
 * Sends a GET, on a connection of its own. Resolves with the response when its head is here and its status is 200.
 * @param signal ends it, at any time
 * @throws ApiError for another status
 */
export async function get(
  { server, token, tls }: Access,
  path: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const isEncrypted = server.protocol === 'https:'
  const request: ClientRequest = (isEncrypted ? httpsRequest : httpRequest)(
    new URL(server.pathname.replace(/\/$/, '') + path, server),
    {
      ...tls,
      agent: false,
      signal,
      headers: {
        accept: 'application/json',
        'user-agent': 'limpet',
        // Without TLS an eavesdropper would get the token.
        ...(token !== undefined && isEncrypted && { authorization: `Bearer ${token}` }),
      },
    },
  )
  const timer = setTimeout(
    () => request.destroy(new Error(`the API server has not answered within ${timeoutMs} ms`)),
    timeoutMs,
  ).unref()
  request.on('socket', socket => {
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
    socket.unref()
  })
  request.on('response', resolve).on('error', reject).end()
  try {
    const response = await promise
    if (response.statusCode === 200) return response
    throw await errorOf(response)
  } finally {
    clearTimeout(timer)
  }
}

async function errorOf(response: IncomingMessage): Promise<ApiError> {
  const { statusCode = 0, headers } = response
  const retryAfter = Number(headers['retry-after'])
  const text = await bodyText(response, MAX_ERROR_BYTES).catch(() => '')
  return new ApiError(statusCode, messageOf(text), retryAfter > 0 ? retryAfter * 1_000 : undefined)
}

/** The message of a `Status`; none for the page of a proxy in between. */
function messageOf(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown }
    return typeof message === 'string' ? message.slice(0, 300) : ''
  } catch {
    return ''
  }
}

/** @throws Error for a body of more than `maxBytes`, or one that breaks off */
export async function bodyText(response: IncomingMessage, maxBytes: number): Promise<string> {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of response as AsyncIterable<Buffer>) {
    bytes += piece.length
    if (bytes > maxBytes) throw new Error(`the API server has sent more than ${maxBytes} bytes`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString()
}

import { type ClientRequest, type IncomingMessage, request as newRequest } from 'node:http'
import type { Socket } from 'node:net'
import type { HealthSettings, Probe, ProbeResult } from '@limpet/core/adapter'
import { socketOpener } from './backend-socket.ts'
import type { Transport } from '../transport-options.ts'

/** Of a body that is looked at. */
const MAX_BODY_BYTES = 65_536

/**
 * Probes over HTTP, each time on a new connection: an existing connection does not show whether
 * another would be accepted. Redirects are responses like any other, and the body is read only as far as needed.
 */
export function healthProbe(transport: Transport, settings: HealthSettings): Probe {
  return async (backend, signal) => {
    let socket: Socket | undefined
    let request: ClientRequest | undefined
    try {
      const opened = await new Promise<Socket>((resolve, reject) => {
        socket = socketOpener(
          backend,
          transport,
        )((error, connected) => {
          if (error === null) resolve(connected.on('error', reject))
          else reject(error)
        })
        onceAborted(signal, () => socket?.destroy(new Error('aborted')))
      })
      if (settings.tcp) return undefined
      return await new Promise<ProbeResult>((resolve, reject) => {
        request = newRequest({
          createConnection: () => opened,
          method: settings.method,
          path: settings.path,
          headers: { host: backend.url.host || 'localhost', 'user-agent': 'limpet', ...settings.headers },
        })
        request.on('error', reject).on('close', () => reject(new Error('the connection ended')))
        request.on('response', response => judge(response, settings, resolve, reject))
        onceAborted(signal, () => request?.destroy(new Error('aborted')))
        request.end()
      })
    } finally {
      request?.destroy()
      socket?.destroy()
    }
  }
}

function judge(
  response: IncomingMessage,
  { isExpected, body, selfDrain }: HealthSettings,
  resolve: (result: ProbeResult) => void,
  refuse: (problem: Error) => void,
): void {
  response.on('error', refuse)
  const { statusCode = 0, headers } = response
  const drains = selfDrain && headers['limpet-state'] === 'drain'
  const accept = (): void => resolve(drains ? 'drain' : undefined)
  if (selfDrain && statusCode === 404) {
    resolve('not-found')
  } else if (!isExpected(statusCode)) {
    refuse(new Error(`status ${statusCode}`))
  } else if (body === undefined) {
    accept()
  } else {
    const wanted = Buffer.from(body)
    const read = Buffer.alloc(MAX_BODY_BYTES)
    let length = 0
    response
      .on('data', (piece: Buffer) => {
        // Searched chunk by chunk: a body may arrive byte by byte.
        const from = Math.max(0, length - wanted.length + 1)
        length += piece.copy(read, length)
        if (read.subarray(from, length).includes(wanted)) accept()
        else if (length === MAX_BODY_BYTES) refuse(new Error('the body does not contain the expected text'))
      })
      .on('end', () => refuse(new Error('the body does not contain the expected text')))
  }
}

function onceAborted(signal: AbortSignal, listener: () => void): void {
  if (signal.aborted) listener()
  else signal.addEventListener('abort', listener, { once: true })
}

import { type ClientRequest, type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { BackendFailedError, type HeaderFields, type Lease } from '@limpet/core'
import type { AttemptEvents } from './attempt.ts'
import { closingError } from './closing-answer.ts'
import { failureOf, protocolError, responseTimeout } from './failure.ts'
import { rawFields } from './raw-fields.ts'
import type { Transport } from './transport-options.ts'
import { bindTunnel } from './tunnel.ts'

/**
 * A WebSocket handshake on its way. Until a backend has accepted the connection it moves on like any request;
 * httpxy ends the client's socket on any failure after that.
 */
export class Handshake implements AttemptEvents {
  /** It cannot be made again, so it must not meet a used connection that is dying. */
  readonly wantsFresh = true
  readonly #lease: Lease
  readonly #client: Duplex
  readonly #transport: Transport
  #sent: ClientRequest | undefined
  #timer: NodeJS.Timeout | undefined
  #isAnswered = false
  #isClosed = false

  constructor(lease: Lease, client: Duplex, transport: Transport) {
    this.#lease = lease
    this.#client = client
    this.#transport = transport
    client.once('close', () => this.#close())
  }

  started(request: ClientRequest): void {
    this.#sent = request
    if (this.#isClosed) {
      request.destroy()
      return
    }
    const { responseTimeoutMs } = this.#transport
    if (responseTimeoutMs > 0) {
      this.#timer = setTimeout(() => request.destroy(responseTimeout(responseTimeoutMs)), responseTimeoutMs)
    }
    // Before httpxy's own listeners, which write the head to the client.
    request.prependOnceListener('upgrade', (response, socket) => this.#accepted(response, socket))
    request.prependOnceListener('response', response => this.answered(response))
  }

  unreached(error: Error): boolean {
    return !this.#isClosed && this.#lease.redispatch(failureOf(error, false, false)) !== undefined
  }

  /** Refused: the backend's own answer (401, 403, 426 …) goes to the client. */
  answered(response: IncomingMessage): void {
    const statusCode = response.statusCode ?? 0
    if (statusCode < 200 || statusCode > 599) {
      response.destroy()
      this.#sent?.destroy(protocolError(`status ${statusCode}`))
      return
    }
    const coding = response.headers['transfer-encoding']
    // httpxy writes what stands here, and frames the body by it.
    replaceHead(response, {
      ...this.#answer(statusCode, response),
      ...(coding === undefined ? {} : { 'transfer-encoding': coding }),
    })
  }

  failed(error: Error): void {
    clearTimeout(this.#timer)
    if (this.#isClosed) return
    const failure = failureOf(error, this.#sent !== undefined, this.#isAnswered)
    if (failure.kind !== 'unreached')
      this.#lease.redispatch({ ...failure, kind: this.#isAnswered ? 'truncated' : 'protocol' })
    if (this.#isAnswered) this.#client.destroy()
    else if (this.#client.writable)
      this.#client.end(closingError(new BackendFailedError(this.#lease.backend, failure)))
  }

  #accepted(response: IncomingMessage, backend: Socket): void {
    const fields = this.#answer(101, response)
    replaceHead(response, { ...fields, connection: 'Upgrade', upgrade: 'websocket' })
    // httpxy clears both sockets' time-outs as it pipes them.
    process.nextTick(() => bindTunnel(this.#client, backend, this.#transport.tunnelTimeoutMs))
  }

  #answer(statusCode: number, response: IncomingMessage): HeaderFields {
    clearTimeout(this.#timer)
    this.#isAnswered = true
    return this.#lease.answered({ statusCode, headers: rawFields(response.rawHeaders) })
  }

  #close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    if (!this.#isAnswered) this.#sent?.destroy()
    this.#lease.release()
  }
}

/** A reason phrase is the backend's to invent, and could hold anything. */
function replaceHead(response: IncomingMessage, fields: HeaderFields): void {
  Object.assign(response, { headers: fields, statusMessage: STATUS_CODES[response.statusCode ?? 0] ?? '' })
}

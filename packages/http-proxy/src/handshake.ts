import { type ClientRequest, type IncomingMessage, STATUS_CODES } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { BackendFailedError, type HeaderFields, type Lease } from '@limpet/core'
import type { AttemptEvents } from './attempt-events.ts'
import { closingError } from './closing-answer.ts'
import { failureOf, protocolError, responseTimeout } from './failure.ts'
import { rawFields } from './raw-fields.ts'
import { screen } from './screen.ts'
import type { Transport } from './transport-options.ts'
import { bindTunnel } from './tunnel.ts'

/**
 * A WebSocket handshake on its way. Until a backend has accepted the connection it moves on like any request;
 * httpxy ends the client's socket on any failure after that.
 */
export class Handshake implements AttemptEvents {
  /** It cannot be made again, so it must not meet a used connection that is dying. */
  readonly wantsFresh = true
  readonly framing = HANDSHAKE
  readonly #lease: Lease
  readonly #client: Duplex
  readonly #transport: Transport
  #sent: ClientRequest | undefined
  #timer: NodeJS.Timeout | undefined
  #isAnswered = false
  #isTunnel = false
  #isFailed = false
  #isClosed = false

  constructor(lease: Lease, client: Duplex, transport: Transport) {
    this.#lease = lease
    this.#client = client
    this.#transport = transport
    // httpxy writes the head of a 101 as if it were UTF-8; header fields are bytes.
    client.setDefaultEncoding('latin1')
    client.once('close', () => this.#close())
    // As with any request, a client that ends while it waits has left.
    client.once('end', () => this.#isTunnel || client.destroy())
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
    // httpxy's own listeners write the head to the client, whatever it is.
    screen(request, 'upgrade', (response, socket) => this.#accepts(response, socket))
    screen(request, 'response', response => this.#refuses(response))
  }

  unreached(error: Error): boolean {
    return !this.#isClosed && this.#lease.redispatch(failureOf(error, false, false)) !== undefined
  }

  /** Refused: the backend's own answer (401, 403, 426 …) goes to the client. */
  answered(response: IncomingMessage): void {
    const coding = response.headers['transfer-encoding']
    // httpxy writes what stands here, and frames the body by it.
    replaceHead(response, {
      ...this.#answer(response.statusCode ?? 0, response),
      ...(coding === undefined ? {} : { 'transfer-encoding': coding }),
    })
    const { idleTimeoutMs, responseTimeoutMs } = this.#transport
    // Neither a backend that stops nor a client that does not take it holds the other for ever.
    const idleMs = idleTimeoutMs === 0 ? responseTimeoutMs : idleTimeoutMs
    if (this.#client instanceof Socket) this.#client.setTimeout(idleMs, () => this.#client.destroy())
    // What follows a handshake that was refused is nobody's; reading it shows when the client leaves.
    this.#client.resume()
  }

  failed(error: Error): void {
    clearTimeout(this.#timer)
    // A client that breaks off is nobody's failure; httpxy tells of it all the same.
    if (this.#isClosed || this.#isFailed || this.#client.errored) return
    this.#isFailed = true
    const failure = failureOf(error, this.#sent !== undefined, this.#isAnswered)
    if (failure.kind !== 'unreached')
      this.#lease.redispatch({ ...failure, kind: this.#isAnswered ? 'truncated' : 'protocol' })
    if (this.#isAnswered) this.#client.destroy()
    else if (this.#client.writable)
      this.#client.end(closingError(new BackendFailedError(this.#lease.backend, failure)))
  }

  #accepts(response: IncomingMessage, backend: Socket): boolean {
    if (this.#isClosed || response.headers.upgrade?.toLowerCase() !== 'websocket') {
      // It may be in the middle of something that nobody asked for.
      backend.on('error', () => undefined).destroy()
      this.failed(protocolError('an upgrade to another protocol'))
      return false
    }
    this.#isTunnel = true
    const fields = this.#answer(101, response)
    replaceHead(response, { ...fields, connection: 'Upgrade', upgrade: 'websocket' })
    // httpxy clears both sockets' time-outs as it pipes them.
    process.nextTick(() => bindTunnel(this.#client, backend, this.#transport.tunnelTimeoutMs))
    return true
  }

  #refuses(response: IncomingMessage): boolean {
    const statusCode = response.statusCode ?? 0
    if (statusCode >= 200 && statusCode <= 599) {
      this.answered(response)
      return true
    }
    response.destroy()
    this.failed(protocolError(`status ${statusCode}`))
    return false
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

const HANDSHAKE = ['Connection', 'Upgrade', 'Upgrade', 'websocket']

/** A reason phrase is the backend's to invent, and could hold anything. */
function replaceHead(response: IncomingMessage, fields: HeaderFields): void {
  Object.assign(response, { headers: fields, statusMessage: STATUS_CODES[response.statusCode ?? 0] ?? '' })
}

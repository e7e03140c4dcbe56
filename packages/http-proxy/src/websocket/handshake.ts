import { type ClientRequest, type IncomingMessage, STATUS_CODES } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { BackendFailedError, type HeaderFields, type Lease } from '@limpet/core'
import { type AttemptEvents, EventsInContext } from '../exchange/attempt-events.ts'
import { closingError } from '../server/closing-response.ts'
import { failureOf, protocolError, responseTimeout } from '../failure.ts'
import { trackListeners } from './track-listeners.ts'
import { endWith } from '../server/linger.ts'
import { rawFields } from '../exchange/raw-fields.ts'
import { screen } from './screen.ts'
import type { Transport } from '../transport-options.ts'
import { openTunnel, type Tunnel } from './tunnel.ts'

/**
 * A WebSocket handshake on its way. Until a backend has accepted the connection it moves on like any request;
 * httpxy ends the client's socket on any failure after that.
 */
export class Handshake implements AttemptEvents {
  /** It cannot be made again, so it must not meet a used connection that is dying. */
  readonly wantsFresh = true
  readonly framing = HANDSHAKE
  /** The same events, in the async context of the handshake's request. */
  readonly inContext = new EventsInContext(this)
  readonly #lease: Lease
  readonly #client: Duplex
  readonly #transport: Transport
  #forget: (() => void) | undefined
  #sent: ClientRequest | undefined
  #timer: NodeJS.Timeout | undefined
  #hasResponded = false
  #tunnel: Tunnel | undefined
  #isFailed = false
  #isClosed = false

  constructor(lease: Lease, client: Duplex, transport: Transport) {
    this.#lease = lease
    this.#client = client
    this.#transport = transport
    client.once('close', () => this.inContext.runInAsyncScope(() => this.#close()))
    // As with any request, a client that ends while it waits has left.
    client.once('end', () => this.#tunnel ?? client.destroy())
    this.#forget = trackListeners(client)
  }

  started(request: ClientRequest): void {
    this.#sent = request
    this.#lease.connected()
    if (this.#isClosed) {
      request.destroy()
      return
    }
    const { responseTimeoutMs } = this.#transport
    if (responseTimeoutMs > 0) {
      this.#timer = setTimeout(() => request.destroy(responseTimeout(responseTimeoutMs)), responseTimeoutMs)
    }
    // httpxy's own listeners write the head to the client, whatever it is.
    screen(request, 'upgrade', (...args) => this.inContext.runInAsyncScope(() => this.#accepts(...args)))
    screen(request, 'response', response => this.inContext.runInAsyncScope(() => this.#refuses(response)))
  }

  unreached(error: Error): boolean {
    return !this.#isClosed && this.#lease.redispatch(failureOf(error, false, false)) !== undefined
  }

  /** Ends it soon: a tunnel with a good-bye, and anything else at once. */
  end(): void {
    if (this.#tunnel === undefined) this.#client.destroy()
    else this.#tunnel.goAway()
  }

  /** Refused: the backend's own answer (401, 403, 426 …) goes to the client. */
  responded(response: IncomingMessage): void {
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
    // Nor is what comes behind the end: the client has only to take what it was given.
    if (this.#client.writableEnded) return
    this.#isFailed = true
    const failure = failureOf(error, this.#sent !== undefined, this.#hasResponded)
    if (failure.kind !== 'unreached')
      this.#lease.redispatch({ ...failure, kind: this.#hasResponded ? 'truncated' : 'protocol' })
    if (this.#hasResponded) this.#client.destroy()
    else if (this.#client.writable)
      endWith(this.#client, closingError(new BackendFailedError(this.#lease.backend, failure)))
  }

  /** The tunnel is ours: httpxy's would hold all that only the handshake needed, as long as it lasts. */
  #accepts(response: IncomingMessage, backend: Socket, head: Buffer): false {
    if (this.#isClosed || response.headers.upgrade?.toLowerCase() !== 'websocket') {
      // It may be in the middle of something that nobody asked for.
      backend.on('error', () => undefined).destroy()
      this.failed(protocolError('an upgrade to another protocol'))
      return false
    }
    const fields = this.#answer(101, response)
    this.#forget?.()
    this.#forget = undefined
    // Header fields are bytes.
    this.#client.write(switchingHead({ ...fields, connection: 'Upgrade', upgrade: 'websocket' }), 'latin1')
    backend.on('error', error => this.inContext.failed(error))
    if (head.length > 0) backend.unshift(head)
    const tunnel = openTunnel(this.#client, backend, this.#transport.tunnelTimeoutMs)
    this.#tunnel = tunnel
    this.#lease.onceRecalled(() => tunnel.goAway())
    return false
  }

  #refuses(response: IncomingMessage): boolean {
    const statusCode = response.statusCode ?? 0
    if (statusCode >= 200 && statusCode <= 599) {
      this.responded(response)
      return true
    }
    response.destroy()
    this.failed(protocolError(`status ${statusCode}`))
    return false
  }

  #answer(statusCode: number, response: IncomingMessage): HeaderFields {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#sent = undefined
    this.#hasResponded = true
    return this.#lease.responded({ statusCode, headers: rawFields(response.rawHeaders) })
  }

  #close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    if (!this.#hasResponded) this.#sent?.destroy()
    this.#lease.release()
  }
}

const HANDSHAKE = ['Connection', 'Upgrade', 'Upgrade', 'websocket']

function switchingHead(fields: HeaderFields): string {
  const lines = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map(line => `${name}: ${line}\r\n`),
  )
  return `HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`
}

/** A reason phrase is the backend's to invent, and could hold anything. */
function replaceHead(response: IncomingMessage, fields: HeaderFields): void {
  Object.assign(response, { headers: fields, statusMessage: STATUS_CODES[response.statusCode ?? 0] ?? '' })
}

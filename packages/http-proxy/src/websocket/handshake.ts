import { type ClientRequest, type IncomingMessage, STATUS_CODES } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { HeaderFields, Lease, RequestHead } from '@limpet/core'
import { type Attempt, newAttempt } from '../exchange/attempt.ts'
import { type AttemptEvents, EventsInContext } from '../exchange/attempt-events.ts'
import { type Attempter, Attempts } from '../exchange/attempts.ts'
import type { BackendAgents } from '../backend/backend-agent.ts'
import { asError, protocolError } from '../failure.ts'
import type { EditLines, HandshakeHooks } from '../exchange/message-hooks.ts'
import { trackListeners } from './track-listeners.ts'
import { rawFields } from '../exchange/raw-fields.ts'
import { screen } from './screen.ts'
import type { Transport } from '../transport-options.ts'
import { openTunnel, type Tunnel } from './tunnel.ts'

/** Gives an attempt to http-proxy-middleware's upgrade. */
export type ForwardHandshake = (attempt: Attempt) => void

/**
 * A WebSocket handshake on its way. Until a backend has accepted the connection it moves on like any request; after
 * that it is never made again, for httpxy ends the client's socket on any failure.
 */
export class Handshake implements AttemptEvents, Attempter {
  wantsFresh = true
  readonly framing = HANDSHAKE
  readonly #lease: Lease
  readonly #client: Duplex
  readonly #agents: BackendAgents
  readonly #transport: Transport
  readonly #forward: ForwardHandshake
  readonly #request: RequestHead
  readonly #hooks: HandshakeHooks
  readonly #refuse: (error: Error) => void
  readonly #attempts: Attempts
  /** The same events, in the async context of the handshake's request. */
  readonly #inContext = new EventsInContext(this)
  #forget: (() => void) | undefined
  #sent: ClientRequest | undefined
  #hasResponded = false
  #tunnel: Tunnel | undefined

  /** @param refuse responds to the client that no backend has taken the handshake */
  constructor(
    lease: Lease,
    request: RequestHead,
    client: Duplex,
    agents: BackendAgents,
    transport: Transport,
    forward: ForwardHandshake,
    hooks: HandshakeHooks,
    refuse: (error: Error) => void,
  ) {
    this.#request = request
    this.#hooks = hooks
    this.#refuse = refuse
    this.#lease = lease
    this.#client = client
    this.#agents = agents
    this.#transport = transport
    this.#forward = forward
    this.#attempts = new Attempts(lease, request, transport, this)
    client.once('close', () => this.#inContext.runInAsyncScope(() => this.#close()))
    // As with any request, a client that ends while it waits has left.
    client.once('end', () => this.#tunnel ?? client.destroy())
    this.#forget = trackListeners(client)
  }

  /** By a connection of its own: it cannot be made again, so it must not meet a used one that is dying. */
  send(): void {
    this.#attempts.begin(true)
  }

  get editLines(): EditLines | undefined {
    return this.#hooks.editLines
  }

  attempt(): void {
    // Those of the attempt before: httpxy listens to the client's socket with each.
    this.#forget?.()
    const attempt = newAttempt(
      this.#lease,
      'GET',
      this.#agents,
      this.#inContext,
      sent => sent.end(),
      SOME_SERVER,
    )
    // httpxy reads them in lower case.
    Object.assign(attempt.headers, { connection: 'Upgrade', upgrade: 'websocket' })
    this.#forward(attempt)
  }

  abort(error: Error): void {
    this.#sent?.destroy(error)
  }

  gaveUp(error: Error): void {
    if (this.#hasResponded) this.#client.destroy()
    else this.#refuse(error)
  }

  inScope(work: () => void): void {
    this.#inContext.runInAsyncScope(work)
  }

  started(request: ClientRequest): void {
    this.#sent = request
    this.#attempts.started(false)
    if (this.#attempts.isOver) return
    // httpxy's own listeners write the head to the client, whatever it is.
    screen(request, 'upgrade', (...args) => this.#inContext.runInAsyncScope(() => this.#accepts(...args)))
    screen(request, 'response', response => this.#inContext.runInAsyncScope(() => this.#refuses(response)))
  }

  /** Ends it soon: a tunnel with a close frame, and anything else at once. */
  end(): void {
    if (this.#tunnel === undefined) this.#client.destroy()
    else this.#tunnel.goAway()
  }

  /** Refused: the backend's own response (401, 403, 426 …) goes to the client. */
  responded(response: IncomingMessage): void {
    const coding = response.headers['transfer-encoding']
    const fields = this.#fieldsOf(response.statusCode ?? 0, response)
    if (fields === undefined) {
      response.destroy()
      return
    }
    // httpxy writes this head, and frames the body by it.
    replaceHead(response, {
      ...fields,
      ...(coding === undefined ? {} : { 'transfer-encoding': coding }),
    })
    const { idleTimeoutMs, responseTimeoutMs } = this.#transport
    // Neither a backend that stops nor a client that does not take it holds the other for ever.
    const idleMs = idleTimeoutMs === 0 ? responseTimeoutMs : idleTimeoutMs
    if (this.#client instanceof Socket) this.#client.setTimeout(idleMs, () => this.#client.destroy())
    // Bytes behind a refused handshake are discarded; reading them shows when the client leaves.
    this.#client.resume()
  }

  failed(error: Error): void {
    // A client that disconnects is no backend's failure; httpxy reports it all the same. Errors after the client's socket
    // was ended are of no account: only flushing remains.
    if (this.#client.errored || this.#client.writableEnded) return
    this.#attempts.failed(error)
  }

  /** The tunnel is ours: httpxy's would hold all that only the handshake needed, as long as it lasts. */
  #accepts(response: IncomingMessage, backend: Socket, head: Buffer): false {
    if (this.#attempts.isOver || response.headers.upgrade?.toLowerCase() !== 'websocket') {
      // It may be in the middle of an unrequested upgrade.
      backend.on('error', () => undefined).destroy()
      this.failed(protocolError('an upgrade to another protocol'))
      return false
    }
    const fields = this.#fieldsOf(101, response)
    if (fields === undefined) {
      backend.on('error', () => undefined).destroy()
      return false
    }
    this.#forget?.()
    this.#forget = undefined
    // Header fields are bytes.
    this.#client.write(switchingHead({ ...fields, connection: 'Upgrade', upgrade: 'websocket' }), 'latin1')
    backend.on('error', error => this.#inContext.failed(error))
    if (head.length > 0) backend.unshift(head)
    const tunnel = openTunnel(this.#client, backend, this.#transport.tunnelTimeoutMs)
    this.#tunnel = tunnel
    this.#lease.onceRecalled(() => tunnel.goAway())
    this.#hooks.opened(response, backend, head)
    return false
  }

  #refuses(response: IncomingMessage): boolean {
    const statusCode = response.statusCode ?? 0
    if (statusCode >= 200 && statusCode <= 599) {
      this.responded(response)
      return !response.destroyed
    }
    response.destroy()
    this.failed(protocolError(`status ${statusCode}`))
    return false
  }

  /** The fields for the client; undefined when the application's functions fail, which the client is told. */
  #fieldsOf(statusCode: number, response: IncomingMessage): HeaderFields | undefined {
    this.#attempts.responded(statusCode)
    this.#sent = undefined
    this.#hasResponded = true
    const fields = rawFields(response.rawHeaders)
    try {
      this.#hooks.rewriteFields?.(fields, statusCode, this.#lease.backend.url, this.#request)
      return this.#hooks.clientFields(this.#lease.responded({ statusCode, headers: fields }))
    } catch (error) {
      this.#attempts.close()
      this.#refuse(asError(error))
      return undefined
    }
  }

  #close(): void {
    this.#attempts.close()
    if (!this.#hasResponded) this.#sent?.destroy()
    this.#lease.release()
  }
}

/** http-proxy-middleware tunnels only what came by a server. */
const SOME_SERVER = {}

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

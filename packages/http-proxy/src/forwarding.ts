import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Lease } from '@limpet/core'
import type { BackendResponse } from './exchange/backend-response.ts'
import { hasLeft, onceClosed } from './exchange/client-side.ts'
import type { Exchange, Outcome } from './exchange/exchange.ts'
import type { Hooks } from './rewriting/hooks.ts'
import { errorFor } from './server/refused-connection.ts'

/** On requests that a proxy has, until it gives them up. A `WeakSet` of all requests would cost each collection time. */
const UNDERWAY = Symbol('limpet.underWay')

interface Marked {
  [UNDERWAY]?: boolean
}

export function isUnderWay(request: IncomingMessage & Marked): boolean {
  return request[UNDERWAY] === true
}

export function setUnderWay(request: IncomingMessage & Marked, value: boolean): void {
  request[UNDERWAY] = value
}

/**
 * A request on its way: the result of its exchange, for its caller. One object in place of a closure for each event: all
 * would be held until the response.
 */
export class Forwarding implements Outcome {
  readonly request: IncomingMessage
  readonly client: ServerResponse
  readonly #hooks: Hooks
  readonly #resolve: (received: BackendResponse | undefined) => void
  readonly #refuse: (error: unknown) => void
  #exchange: Exchange | undefined
  #lease: Lease | undefined

  constructor(
    hooks: Hooks,
    request: IncomingMessage,
    client: ServerResponse,
    resolve: (received: BackendResponse | undefined) => void,
    refuse: (error: unknown) => void,
  ) {
    this.#hooks = hooks
    this.request = request
    this.client = client
    this.#resolve = resolve
    this.#refuse = refuse
  }

  begin(exchange: Exchange, lease: Lease): void {
    this.#exchange = exchange
    this.#lease = lease
    // A remote store may have been asked meanwhile.
    if (hasLeft(this.request, this.client)) {
      this.#close()
      return
    }
    onceClosed(this.request, this.client, () => this.#close())
    exchange.send(this)
  }

  /** The request's body moves on. */
  progress(): void {
    this.#exchange?.progress()
  }

  responded(received: BackendResponse): void {
    const lease = this.#lease
    if (lease === undefined) return
    const reject = (error: unknown): void => this.failed(error)
    this.#hooks.respond(received, lease, this.request, this.client, this.#resolve, reject)
  }

  failed(error: unknown): void {
    // The application may give it to another pool.
    setUnderWay(this.request, false)
    const told = errorFor(this.request, error)
    this.#hooks.errors.fail(told, this.request, this.client, this.#resolve, this.#refuse)
  }

  #close(): void {
    this.#exchange?.close()
    this.#resolve(undefined)
  }
}

import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import type { HeaderFields } from '@limpet/core'
import { addTrailers } from '@limpet/http-proxy/transport'
import type { Dispatcher } from 'undici'

/** A client that takes nothing for this long holds a backend's response hostage. */
const STALL_MS = 30_000

/** A backend's body on its way to a client: undici pauses while the client cannot take more. */
export class ResponseBody extends Readable {
  readonly #controller: Dispatcher.DispatchController
  readonly #client: ServerResponse
  readonly #stallMs: number
  #stall: NodeJS.Timeout | undefined
  #isRead = false
  #isComplete = false

  constructor(controller: Dispatcher.DispatchController, client: ServerResponse, stallMs = STALL_MS) {
    super()
    this.#controller = controller
    this.#client = client
    this.#stallMs = stallMs
  }

  write(chunk: Buffer): void {
    if (this.destroyed || this.push(chunk)) return
    this.#controller.pause()
    this.#stall ??= setTimeout(() => this.destroy(new Error('the client stopped reading')), this.#stallMs)
  }

  complete(trailers: HeaderFields): void {
    this.#isComplete = true
    addTrailers(this.#client, trailers)
    this.push(null)
  }

  override _read(): void {
    if (!this.#isRead) {
      this.#isRead = true
      // A stream of events is open before its first event.
      if (!this.#client.headersSent) this.#client.flushHeaders()
    }
    clearTimeout(this.#stall)
    this.#stall = undefined
    this.#controller.resume()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    clearTimeout(this.#stall)
    if (!this.#isComplete) this.#controller.abort(error ?? new Error('the client left'))
    callback(error)
  }
}

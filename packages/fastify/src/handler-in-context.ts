import { AsyncResource } from 'node:async_hooks'
import type { Dispatcher } from 'undici'

/** The methods of undici's handlers that an exchange has. */
export type Handler = Required<
  Pick<
    Dispatcher.DispatchHandler,
    'onRequestStart' | 'onResponseStart' | 'onResponseData' | 'onResponseEnd' | 'onResponseError'
  >
>

/**
 * Calls a handler in the async context of its request. undici calls it in the context of the connection: that of the
 * request for which the connection was opened, which may be another client's.
 */
export class HandlerInContext extends AsyncResource implements Handler {
  readonly #handler: Handler

  /** Captures the current context: that of the request. */
  constructor(handler: Handler) {
    super('limpet.exchange')
    this.#handler = handler
  }

  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    this.runInAsyncScope(this.#handler.onRequestStart, this.#handler, controller, context)
  }

  onResponseStart(...args: Parameters<Handler['onResponseStart']>): void {
    this.runInAsyncScope(this.#handler.onResponseStart, this.#handler, ...args)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.runInAsyncScope(this.#handler.onResponseData, this.#handler, controller, chunk)
  }

  onResponseEnd(...args: Parameters<Handler['onResponseEnd']>): void {
    this.runInAsyncScope(this.#handler.onResponseEnd, this.#handler, ...args)
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    this.runInAsyncScope(this.#handler.onResponseError, this.#handler, controller, error)
  }
}

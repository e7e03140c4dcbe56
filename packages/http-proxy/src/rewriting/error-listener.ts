import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { asError } from '../failure.ts'
import type { Logger } from '../logging/logger.ts'
import type { Rewriting } from '../node-proxy-options.ts'
import { settle } from './settle.ts'

/** The application's listener `on.error`: told of errors before the adapter responds. */
export class ErrorListener {
  readonly #listener: NonNullable<Rewriting['on']>['error']
  readonly #logger: Logger | false

  constructor({ on }: Rewriting, logger: Logger | false) {
    this.#listener = on?.error
    this.#logger = logger
  }

  /** Tells the application of the error of a request. It may respond. */
  fail(
    error: unknown,
    request: IncomingMessage,
    client: ServerResponse,
    resolve: (received: undefined) => void,
    reject: (error: unknown) => void,
  ): void {
    const listener = this.#listener
    if (listener === undefined || client.destroyed) {
      reject(error)
      return
    }
    settle(
      () => listener(asError(error), request, client),
      () => {
        if (client.headersSent || client.writableEnded) resolve(undefined)
        else reject(error)
      },
      thrown => {
        if (client.headersSent) client.destroy()
        reject(thrown)
      },
    )
  }

  /** Tells the application of the error of a handshake. It may respond. @param refuse responds */
  refuse(error: unknown, request: IncomingMessage, socket: Duplex, refuse: (error: unknown) => void): void {
    const listener = this.#listener
    if (listener === undefined) {
      refuse(error)
      return
    }
    const before: unknown = Reflect.get(socket, 'bytesWritten')
    settle(
      () => listener(asError(error), request, socket),
      () => {
        if (socket.writable && Reflect.get(socket, 'bytesWritten') === before) refuse(error)
      },
      thrown => {
        this.report('error', thrown)
        if (socket.writable && Reflect.get(socket, 'bytesWritten') === before) refuse(error)
        else socket.destroy()
      },
    )
  }

  /** Logs an error of a listener, for an error that comes too late for a response. */
  report(event: string, error: unknown): void {
    if (this.#logger !== false)
      this.#logger.error(`limpet: on.${event} has failed: ${asError(error).message}`)
  }
}

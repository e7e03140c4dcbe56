import { AsyncResource } from 'node:async_hooks'
import { Readable } from 'node:stream'
import { RefusedRequestError } from '@limpet/core/adapter'

/** A client may take its time to begin; after that its body has to come at a minimal pace (slow-body attacks). */
const GRACE_MS = 5_000
const MIN_BYTES_PER_SECOND = 512

/** Told of the body's progress, and of its end. */
export type OnProgress = () => void

/**
 * A client's body on its way to a backend. undici destroys the stream it is given when a backend fails, and
 * that must not be the client's connection: it is still to get a response. Counts the bytes, too, and the pace.
 * The client's bytes arrive in the async context of the connection, and go on in that of the request.
 * Nothing is read before a backend reads, so a request that found no connection can go to the next one whole.
 */
export class RequestBody extends Readable {
  readonly #context = new AsyncResource('limpet.body')
  readonly #source: Readable
  readonly #limit: number
  readonly #onProgress: OnProgress
  #received = 0
  #paced = 0
  readonly #graceMs: number
  #pace: NodeJS.Timeout | undefined
  /** Whether the backend has kept the client waiting since the pace was last looked at. */
  #wasHeldUp = false

  constructor(source: Readable, limit: number, onProgress: OnProgress, graceMs = GRACE_MS) {
    super()
    // Its reader listens as well. Before and after, a client that leaves is no error.
    this.on('error', () => undefined)
    this.#source = source
    this.#limit = limit
    this.#onProgress = onProgress
    this.#graceMs = graceMs
  }

  override _read(): void {
    if (this.#pace === undefined) {
      this.#pace = setInterval(() => this.#checkPace(), this.#graceMs).unref()
      this.#source
        .on('data', this.#onData)
        .once('end', this.#onEnd)
        .once('error', this.#onError)
        .once('close', this.#onClose)
    }
    this.#source.resume()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    clearInterval(this.#pace)
    this.#source.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose)
    callback(error)
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#context.runInAsyncScope(() => this.#take(chunk))
  }

  readonly #onEnd = (): void => {
    this.#context.runInAsyncScope(() => this.#end())
  }

  readonly #onError = (error: Error): void => {
    this.destroy(error)
  }

  readonly #onClose = (): void => {
    if (!this.#source.readableEnded) this.destroy(new Error('the client left before its body was complete'))
  }

  #take(chunk: Buffer): void {
    this.#received += chunk.length
    if (this.#received > this.#limit) {
      this.destroy(bodyTooLarge())
      return
    }
    this.#onProgress()
    if (!this.push(chunk)) {
      this.#source.pause()
      this.#wasHeldUp = true
    }
  }

  #end(): void {
    clearInterval(this.#pace)
    this.#onProgress()
    this.push(null)
  }

  /** Only while the client is the one we wait for: a backend that does not read is not the client's fault. */
  #checkPace(): void {
    const wasHeldUp = this.#wasHeldUp
    const isSlow = (this.#received - this.#paced) * 1000 < MIN_BYTES_PER_SECOND * this.#graceMs
    this.#paced = this.#received
    this.#wasHeldUp = this.#source.isPaused()
    if (isSlow && !wasHeldUp)
      this.destroy(new RefusedRequestError(408, 'slow_body', 'the request body comes too slowly'))
  }
}

export function bodyTooLarge(): RefusedRequestError {
  return new RefusedRequestError(413, 'body_limit', 'the request body is too large')
}

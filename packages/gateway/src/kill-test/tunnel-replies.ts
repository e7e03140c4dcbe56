import { once } from 'node:events'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { WebSocket } from 'ws'
import { StepFailure } from './step-failure.ts'

/** The messages that arrive over a WebSocket while one step uses it. */
export class TunnelReplies {
  /** The response to the handshake; it rejects when there is none. */
  readonly opened: Promise<IncomingMessage>
  readonly #socket: WebSocket
  readonly #signal: AbortSignal
  readonly #ended = new AbortController()
  readonly #messages: string[] = []
  #take: (() => void) | undefined

  /** @param signal ends the step, with its reason as the failure */
  constructor(socket: WebSocket, signal: AbortSignal) {
    this.#socket = socket
    this.#signal = signal
    socket.on('message', this.#onMessage)
    socket.on('close', this.#onClose)
    socket.on('error', this.#onError)
    socket.on('unexpected-response', this.#onRefusal)
    signal.addEventListener('abort', this.#onAbort)
    if (signal.aborted) this.#onAbort()
    this.opened = this.#open()
    this.opened.catch(() => {})
  }

  /** The first message that is wanted; the ones before it are passed over. */
  async message(isWanted: (text: string) => boolean): Promise<string> {
    for (;;) {
      const text = this.#messages.shift()
      if (text !== undefined && isWanted(text)) return text
      if (text === undefined) await this.#next()
    }
  }

  /** Leaves the WebSocket without a listener of this step. */
  end(): void {
    this.#socket.off('message', this.#onMessage)
    this.#socket.off('close', this.#onClose)
    this.#socket.off('error', this.#onError)
    this.#socket.off('unexpected-response', this.#onRefusal)
    this.#signal.removeEventListener('abort', this.#onAbort)
    this.#ended.abort()
  }

  readonly #onMessage = (data: Buffer): void => {
    this.#messages.push(data.toString())
    this.#take?.()
  }

  readonly #onClose = (code: number): void => {
    this.#ended.abort(new StepFailure('connection', `WebSocket closed with ${code}`))
  }

  readonly #onError = ({ message }: Error): void => {
    this.#ended.abort(new StepFailure('connection', message))
  }

  readonly #onRefusal = (_request: ClientRequest, { statusCode = 0 }: IncomingMessage): void => {
    const kind = statusCode >= 500 || statusCode === 429 ? 'status' : 'unexpected'
    this.#ended.abort(new StepFailure(kind, `status ${statusCode} instead of 101`))
  }

  readonly #onAbort = (): void => {
    this.#ended.abort(this.#signal.reason)
  }

  async #open(): Promise<IncomingMessage> {
    const { signal } = this.#ended
    try {
      const [head] = (await once(this.#socket, 'upgrade', { signal })) as [IncomingMessage]
      if (this.#socket.readyState !== WebSocket.OPEN) await once(this.#socket, 'open', { signal })
      return head
    } catch (error) {
      // `once` rejects with an error of its own.
      throw signal.aborted ? (signal.reason as Error) : error
    }
  }

  async #next(): Promise<void> {
    const { signal } = this.#ended
    const { promise, resolve, reject } = Promise.withResolvers<undefined>()
    const fail = (): void => reject(signal.reason as Error)
    this.#take = () => resolve(undefined)
    if (signal.aborted) fail()
    signal.addEventListener('abort', fail)
    try {
      await promise
    } finally {
      signal.removeEventListener('abort', fail)
      this.#take = undefined
    }
  }
}

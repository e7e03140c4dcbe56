import type { Worker } from 'node:cluster'
import { AdminError } from '../admin/admin-error.ts'
import type { ChecksFromParent, ChecksFromWorker } from '../sharing/check-messages.ts'
import type { Loads } from '../sharing/load-messages.ts'
import type { LoadPeer } from '../sharing/parent-loads.ts'
import type { CheckPeer } from '../sharing/check-outbox.ts'
import type { FromParent, FromWorker } from '../sharing/messages.ts'
import type { Peer } from '../sharing/outbox.ts'
import type { ChecksMessage, LoadsMessage, Message, Order, Reply, SessionsMessage } from './worker.ts'

/** Time for a worker to reply to an order. */
const REPLY_MS = 5_000

/** Where a worker listens. */
export interface Listening {
  readonly url: string
  readonly port: number
}

/** Called with the messages that reply to no order. */
export interface LinkListeners {
  sessions(link: WorkerLink, message: FromWorker): void
  checks(link: WorkerLink, message: ChecksFromWorker): void
  loads(link: WorkerLink, loads: Loads): void
}

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

/**
 * The parent's end of the channel to one worker. A worker can die at any moment, also between the parent's check and
 * its write, and Node reports that write as an `error` event of the worker (EPIPE, ERR_IPC_CHANNEL_CLOSED). So a failed
 * send is never an error of the parent: it rejects pending replies, and `exit` reports the worker's end.
 */
export class WorkerLink implements Peer, CheckPeer, LoadPeer {
  readonly worker: Worker
  /** Settles when the worker listens. Rejects when the worker could not start, or has ended before. */
  readonly listening: Promise<Listening>
  /** Settles when the process has ended. */
  readonly exited: Promise<void>
  readonly #waiting = new Map<number, Waiting>()
  #number = 0
  #isOpen = true

  constructor(worker: Worker, listeners: LinkListeners) {
    this.worker = worker
    const { promise, resolve, reject } = Promise.withResolvers<Listening>()
    this.listening = promise
    // A caller that has stopped waiting misses nothing.
    promise.catch(() => undefined)
    worker.on('message', (reply: Reply) => {
      if ('sessions' in reply) listeners.sessions(this, reply.sessions)
      else if ('checks' in reply) listeners.checks(this, reply.checks)
      else if ('loads' in reply) listeners.loads(this, reply.loads)
      else if ('listening' in reply) resolve(reply.listening)
      else if ('failed' in reply)
        reject(Object.assign(new Error(reply.failed.message), { code: reply.failed.code }))
      else this.#take(reply)
    })
    worker.on('error', () => this.#fail()).once('disconnect', () => this.#close())
    this.exited = new Promise(settle => {
      worker.once('exit', (code, signal) => {
        this.#close()
        reject(new Error(`a worker ended with ${signal ?? code}`))
        settle()
      })
    })
  }

  /** Whether orders can be sent to the worker, as far as is known. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Sends an order whose reply does not matter. Does nothing when the worker is gone. */
  tell(order: Order): void {
    this.#send({ number: 0, order })
  }

  /**
   * Gives an order, and returns the worker's reply.
   * @throws SilentWorker when the worker is gone, or does not reply within 5 s
   * @throws AdminError when the worker refuses
   */
  async ask(order: Order): Promise<unknown> {
    this.#number += 1
    const number = this.#number
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.#waiting.set(number, { resolve, reject })
    const timer = setTimeout(
      () => reject(new SilentWorker(`a worker did not respond within ${REPLY_MS} ms`)),
      REPLY_MS,
    )
    try {
      if (!this.#send({ number, order })) reject(gone())
      return await promise
    } finally {
      clearTimeout(timer)
      this.#waiting.delete(number)
    }
  }

  send(sessions: FromParent, written?: () => void): void {
    this.#send({ sessions }, written)
  }

  sendChecks(checks: ChecksFromParent, written?: () => void): void {
    this.#send({ checks }, written)
  }

  sendLoads(loads: Loads, written: () => void): void {
    this.#send({ loads }, written)
  }

  /** Ends the process at once. */
  kill(): void {
    this.worker.process.kill('SIGKILL')
  }

  #send(
    message: Message | SessionsMessage<FromParent> | ChecksMessage<ChecksFromParent> | LoadsMessage,
    written?: () => void,
  ): boolean {
    if (!this.#isOpen || !this.worker.isConnected()) return false
    // With a callback a failure is reported by the callback alone.
    this.worker.process.send(message, error => {
      if (error === null) written?.()
      else this.#fail()
    })
    return true
  }

  #take(reply: Extract<Reply, { readonly number: number }>): void {
    const waiting = this.#waiting.get(reply.number)
    if (waiting === undefined) return
    if ('error' in reply) {
      const { statusCode, code, message } = reply.error
      waiting.reject(new AdminError(statusCode, code, message))
    } else {
      waiting.resolve(reply.result)
    }
  }

  /** A worker without a working channel is of no use. */
  #fail(): void {
    this.#close()
    this.kill()
  }

  #close(): void {
    this.#isOpen = false
    for (const { reject } of this.#waiting.values()) reject(gone())
  }
}

/** The error of an order that has no reply. The worker has ended, or may still follow it. */
export class SilentWorker extends AdminError {
  constructor(message: string) {
    super(500, 'INTERNAL', message)
  }
}

function gone(): SilentWorker {
  return new SilentWorker('a worker has ended')
}

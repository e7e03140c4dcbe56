import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { type Affinity, isAffinityError, type Lease, type OnceGone, type RequestHead } from '@limpet/core'
import type { LineLog } from './log.ts'
import type { LogSkip } from '../config/config.ts'
import { type Carried, type Entry, ObservedLease } from './observed-lease.ts'
import { traceOf } from './request-trace.ts'

/** Maximum length of a text from a client. */
const MAX_TEXT = 256
const NOTHING: Carried = { read: 0, written: 0 }

export interface AccessLogOptions {
  readonly log: LineLog
  /** The share of requests that are logged, 0 to 1. */
  readonly sample: number
  /** Requests without a line. @default [] */
  readonly skip?: readonly LogSkip[]
  /** Uniform in [0, 1). */
  readonly random?: () => number
}

/** A line for each request, when its client's side has closed. */
export class AccessLog {
  readonly #log: LineLog
  readonly #sample: number
  readonly #skip: readonly LogSkip[]
  readonly #random: () => number
  /** By connection, until the end of its last request. */
  readonly #carried = new WeakMap<object, Carried>()
  /** By Node's message, which the head of its request names. */
  readonly #entries = new WeakMap<object, Entry>()

  constructor({ log, sample, skip = [], random = Math.random }: AccessLogOptions) {
    this.#log = log
    this.#sample = sample
    this.#skip = skip
    this.#random = random
  }

  /** A request has arrived, for `pool` or for none. */
  begin(request: IncomingMessage, response: ServerResponse, pool: string | undefined): void {
    const entry = this.#enter(request, pool)
    if (entry === undefined) return
    response.once('close', () => {
      const end = response.writableFinished ? 'complete' : entry.isCut ? 'backend_cut' : 'client_left'
      this.#write(request, entry, response.headersSent ? response.statusCode : 499, end)
    })
  }

  /**
   * A handshake has arrived. It ends with its connection.
   * @param status of its response, where that is known already
   */
  beginUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    { pool, status }: { pool: string | undefined; status: number | undefined },
  ): void {
    const entry = this.#enter(request, pool)
    if (entry === undefined) return
    entry.status = status
    socket.once('close', () => {
      const hasResponded = request.socket.bytesWritten > entry.before.written
      const end = entry.isCut ? 'backend_cut' : hasResponded ? 'complete' : 'client_left'
      this.#write(request, entry, hasResponded ? entry.status : 499, end)
    })
  }

  /** Wraps an affinity, so that its leases log the course of their requests. */
  observed(affinity: Affinity): Affinity {
    const observe = (request: RequestHead, lease: Lease): Lease => {
      const entry = this.#entryOf(request)
      return entry === undefined ? lease : new ObservedLease(lease, entry)
    }
    const refuse = (request: RequestHead, error: unknown): never => {
      const entry = this.#entryOf(request)
      if (entry !== undefined && isAffinityError(error)) entry.status = error.statusCode
      throw error
    }
    function select(request: RequestHead): Lease | Promise<Lease>
    function select(request: RequestHead, onceGone?: OnceGone): Lease | Promise<Lease | undefined> {
      try {
        const lease = onceGone === undefined ? affinity.select(request) : affinity.select(request, onceGone)
        if (!(lease instanceof Promise)) return observe(request, lease)
        return lease.then(
          held => (held === undefined ? undefined : observe(request, held)),
          (error: unknown) => refuse(request, error),
        )
      } catch (error) {
        return refuse(request, error)
      }
    }
    return { ...affinity, select }
  }

  #entryOf({ message }: RequestHead): Entry | undefined {
    return message === undefined ? undefined : this.#entries.get(message)
  }

  #enter(request: IncomingMessage, pool: string | undefined): Entry | undefined {
    const { socket } = request
    if (this.#sample < 1 && this.#random() >= this.#sample) return undefined
    const entry: Entry = {
      startedMs: performance.now(),
      trace: traceOf(request.headers),
      before: this.#carried.get(socket) ?? NOTHING,
      client: socket.remoteAddress,
      pool,
      backend: undefined,
      affinity: undefined,
      attempts: 0,
      selectedMs: undefined,
      connectedMs: undefined,
      headMs: undefined,
      status: undefined,
      isCut: false,
    }
    this.#entries.set(request, entry)
    return entry
  }

  #write(request: IncomingMessage, entry: Entry, status: number | undefined, end: string): void {
    const { method, url, headers } = request
    const { client, pool, backend, affinity, attempts, startedMs, selectedMs, connectedMs, headMs } = entry
    const { trace } = entry
    const host = headers.host ?? headers[':authority']
    const since = (atMs: number | undefined): number | undefined =>
      atMs === undefined ? undefined : Math.round((atMs - startedMs) * 10) / 10
    const carried = this.#carry(request)
    // The garbage collector would look through all that are over, again and again.
    this.#entries.delete(request)
    // The query may contain a secret.
    const path = url?.split('?', 1)[0]
    if (this.#skip.some(one => isSkipped(one, path, status))) return
    this.#log.write({
      time: Date.now(),
      event: 'request',
      method: method === undefined ? undefined : shown(method),
      host: typeof host === 'string' ? shown(host) : undefined,
      path: path === undefined ? undefined : shown(path),
      status,
      pool,
      backend,
      affinity,
      attempts,
      waitMs: since(selectedMs),
      connectMs: since(connectedMs),
      headMs: since(headMs),
      totalMs: since(performance.now()),
      bytesIn: carried && carried.read - entry.before.read,
      bytesOut: carried && carried.written - entry.before.written,
      client,
      end,
      traceId: trace?.traceId,
      spanId: trace?.spanId,
    })
  }

  /** Bytes that the connection has carried so far; undefined where it carries several requests at a time. */
  #carry({ socket, httpVersionMajor }: IncomingMessage): Carried | undefined {
    if (httpVersionMajor !== 1) return undefined
    const carried = { read: socket.bytesRead, written: socket.bytesWritten }
    this.#carried.set(socket, carried)
    return carried
  }
}

function isSkipped(skip: LogSkip, path = '', status = 0): boolean {
  if (skip.path !== undefined && !(skip.path.endsWith('/') ? path.startsWith(skip.path) : path === skip.path))
    return false
  return (
    skip.status === undefined || skip.status === status || skip.status === `${Math.floor(status / 100)}xx`
  )
}

/** A text of a client, truncated. JSON escapes the other control characters; terminals obey these as well. */
function shown(text: string): string {
  const cut = text.slice(0, MAX_TEXT)
  return CONTROLS.test(cut) ? cut.replaceAll(ALL_CONTROLS, escaped) : cut
}

const CONTROLS = /[\u007f-\u009f]/
const ALL_CONTROLS = /[\u007f-\u009f]/g

function escaped(control: string): string {
  return `\\x${control.charCodeAt(0).toString(16)}`
}

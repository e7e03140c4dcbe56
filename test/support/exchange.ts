import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { headerLines, type HeaderLines } from './header-lines.ts'

/** A request as a backend saw it. */
export interface Seen {
  readonly method: string
  readonly url: string
  /** The header lines as received. */
  readonly lines: HeaderLines
  /** Body bytes that were read until now. */
  readonly bytes: number
  /** The hash of the body, once all of it was read. */
  readonly sha256: string | undefined
  /** Whether the other side left before the answer was out. */
  readonly aborted: boolean
  /** Settles when the answer is out or the connection gone, with the time that was. */
  readonly over: Promise<number>
}

/** One request at a backend, and the means to answer it or to fail it. */
export interface Exchange {
  /** Of the backend. */
  readonly id: string
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly seen: Seen
  /** Reads the body to its end; until then it is not read. Never settles when the body is cut. */
  readonly readBody: () => Promise<void>
}

/** A backend's reaction to a request. */
export type Script = (exchange: Exchange) => void | Promise<void>

export class LiveExchange implements Exchange, Seen {
  readonly id: string
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly lines: HeaderLines
  readonly over: Promise<number>
  bytes = 0
  sha256: string | undefined
  aborted = false

  constructor(id: string, request: IncomingMessage, response: ServerResponse) {
    this.id = id
    this.request = request
    this.response = response
    this.lines = headerLines(request.rawHeaders)
    // A gateway that leaves is recorded, not thrown.
    for (const stream of [request, response]) stream.on('error', () => {})
    let isOut = false
    response.once('finish', () => {
      // Node 22 says so of a response whose socket is gone, too.
      isOut = !request.socket.destroyed && request.socket.errored === null
    })
    this.over = once(response, 'close').then(() => {
      this.aborted = !isOut
      return performance.now()
    })
  }

  get seen(): Seen {
    return this
  }

  get method(): string {
    return this.request.method ?? ''
  }

  get url(): string {
    return this.request.url ?? ''
  }

  /** Bound, so that a script can take it apart. */
  readonly readBody = async (): Promise<void> => {
    const hash = createHash('sha256')
    this.request.on('data', (chunk: Buffer) => {
      this.bytes += chunk.length
      hash.update(chunk)
    })
    const ended = Promise.withResolvers<void>()
    this.request.once('end', ended.resolve)
    await ended.promise
    this.sha256 = hash.digest('hex')
  }
}

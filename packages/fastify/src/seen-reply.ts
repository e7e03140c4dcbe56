import { hasLeft } from '@limpet/http-proxy/transport'
import type { FastifyReply } from 'fastify'
import type { Exchange } from './exchange.ts'

/**
 * A reply as reply-from sees it. Its changes are those of the client's reply. Its request has no header fields and no body,
 * because the lease has those for the backend: reply-from would copy a client's fields, change the copy, and keep it as
 * long as the request lasts.
 */
export class SeenReply {
  readonly request: SeenRequest
  readonly #reply: FastifyReply

  constructor(exchange: Exchange) {
    this.#reply = exchange.reply
    this.request = new SeenRequest(exchange)
  }

  get sent(): boolean {
    return this.#reply.sent
  }

  header(name: string, value: string | readonly string[] | undefined): void {
    this.#reply.header(name, value)
  }

  code(statusCode: number): void {
    this.#reply.code(statusCode)
  }
}

/** Fastify's request and the message of node:http in one. The method and the target are the real ones. */
export class SeenRequest {
  /** For the hooks, which serve all requests of a forwarder. */
  readonly exchange: Exchange
  readonly headers: Readonly<Record<string, string>> = NO_FIELDS
  readonly body: undefined

  constructor(exchange: Exchange) {
    this.exchange = exchange
  }

  get raw(): this {
    return this
  }

  get method(): string {
    return this.exchange.reply.request.raw.method ?? ''
  }

  get url(): string {
    return this.exchange.reply.request.raw.url ?? ''
  }

  get httpVersionMajor(): number {
    return this.exchange.reply.request.raw.httpVersionMajor
  }

  get complete(): boolean {
    return this.exchange.reply.request.raw.complete
  }

  get aborted(): boolean {
    const { request, raw } = this.exchange.reply
    return hasLeft(request.raw, raw)
  }

  get log(): FastifyReply['log'] {
    return this.exchange.reply.log
  }
}

const NO_FIELDS: Readonly<Record<string, string>> = Object.freeze({})

import replyFrom, { type FastifyReplyFromHooks, type FastifyReplyFromOptions } from '@fastify/reply-from'
import type { FastifyInstance } from 'fastify'
import type { Exchange, OnResponded } from './exchange.ts'
import type { SeenReply } from './seen-reply.ts'

/** The function that @fastify/reply-from decorates replies with. */
export type From = (this: SeenReply, source: string, hooks: FastifyReplyFromHooks) => unknown

/** Under which the exchange travels through reply-from: it copies symbols, and writes none of them to a backend. */
const EXCHANGE = Symbol('limpet.exchange')

/** In the place of the header fields for a backend: the exchange, which has their lines. */
export function carry(exchange: Exchange): Record<string, string> {
  return { [EXCHANGE]: exchange } as object as Record<string, string>
}

/** A request as reply-from gives it to undici. */
export interface Dispatched {
  readonly origin: string
  readonly path: string
  readonly method: string
  readonly headers: { readonly [EXCHANGE]: Exchange }
}

/** The only method of an undici dispatcher that reply-from calls. */
export interface ReplyFromDispatcher {
  request(options: Dispatched, onResponded: OnResponded): void
}

/** Takes the place of reply-from's undici dispatcher: when it is called, reply-from's own work on the request is done. */
export const dispatcher: ReplyFromDispatcher = {
  request({ headers }, onResponded) {
    headers[EXCHANGE].send(onResponded)
  },
}

/**
 * Loads a copy of reply-from that decorates nothing: the app may have one of its own, with options of its own,
 * and two in one scope would end the process.
 */
export async function loadReplyFrom(
  fastify: FastifyInstance,
  undici: ReplyFromDispatcher = dispatcher,
): Promise<From> {
  return new Promise((resolve, reject) => {
    const quiet = Object.create(fastify, {
      decorateReply: { value: (_name: string, from: From) => resolve(from) },
      // Its warning about @fastify/multipart is about bodies that a parser has read; ours come unparsed.
      hasPlugin: { value: () => false },
    }) as FastifyInstance
    // Its cache of URLs would keep the paths of clients.
    const own = { undici, disableRequestLogging: true, disableCache: true }
    const options = own as object as FastifyReplyFromOptions
    replyFrom(quiet, options, error => {
      if (error !== undefined) reject(error)
    })
  })
}

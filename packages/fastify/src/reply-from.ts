import replyFrom, { type FastifyReplyFromHooks, type FastifyReplyFromOptions } from '@fastify/reply-from'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Exchange, OnResponded } from './exchange.ts'

/** The function that @fastify/reply-from decorates replies with. */
export type From = (this: FastifyReply, source: string, hooks: FastifyReplyFromHooks) => unknown

/** Under which an exchange travels through reply-from: it copies symbols, and writes none of them to a backend. */
const EXCHANGE = Symbol('limpet.exchange')

/** The headers that reply-from is given for a request: none, for the exchange has them. */
export function carry(exchange: Exchange): Record<string, string> {
  return { [EXCHANGE]: exchange } as object as Record<string, string>
}

/** Takes the place of reply-from's undici dispatcher: when it is called, reply-from's own work on the request is done. */
const dispatcher = {
  request({ headers }: { headers: { [EXCHANGE]: Exchange } }, onResponded: OnResponded): void {
    headers[EXCHANGE].send(onResponded)
  },
}

/**
 * Loads a copy of reply-from that decorates nothing: the app may have one of its own, with options of its own,
 * and two in one scope would end the process.
 */
export async function loadReplyFrom(fastify: FastifyInstance): Promise<From> {
  return new Promise((resolve, reject) => {
    const quiet = Object.create(fastify, {
      decorateReply: { value: (_name: string, from: From) => resolve(from) },
      // Its warning about @fastify/multipart is about bodies that a parser has read; ours come unparsed.
      hasPlugin: { value: () => false },
    }) as FastifyInstance
    const options = { undici: dispatcher, disableRequestLogging: true } as object as FastifyReplyFromOptions
    replyFrom(quiet, options, error => {
      if (error !== undefined) reject(error)
    })
  })
}

import { type HeaderEditOptions, type HeaderFields, OptionError } from '@limpet/core'
import { type HeaderEdits, mergeFields, parseHeaderEdits } from '@limpet/core/adapter'
import { applyEdits, checkedFields } from '@limpet/http-proxy/transport'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Readable } from 'node:stream'
import { parseRewritePrefix } from './rewrite-prefix.ts'

/** The backend's response, as `onResponse` gets it. */
export interface BackendResponse {
  readonly statusCode: number
  /** Its fields, with the changes of `rewriteHeaders`. The reply has them already. */
  readonly headers: Readonly<HeaderFields>
  /** Its body. Once it is asked for, it must be sent or destroyed. */
  readonly stream: Readable
}

/** The application's edits of messages on their way. The names are those of @fastify/reply-from. */
export interface RewriteOptions {
  /** Path in the place of `prefix` for the backend. Affinity reads the client's path. @default absent: the whole path */
  readonly rewritePrefix?: string | undefined
  /**
   * Returns the header fields for the backend, given the client's with the edits of hooks, before `requestHeaders`.
   * Affinity reads them. Errors that it throws are the application's. @default absent: as they are
   */
  readonly rewriteRequestHeaders?:
    | ((request: FastifyRequest, headers: HeaderFields) => HeaderFields)
    | undefined
  /** Returns the header fields for the client, given the backend's with limpet's cookie. @default absent: as they are */
  readonly rewriteHeaders?: ((headers: HeaderFields, request: FastifyRequest) => HeaderFields) | undefined
  /** Fields to set and to remove in every response of a backend, after `rewriteHeaders`. @default absent: none */
  readonly responseHeaders?: HeaderEditOptions | undefined
  /** Sends the reply itself, when the head of the response is there: `reply.send(response.stream)`. @default absent */
  readonly onResponse?:
    | ((request: FastifyRequest, reply: FastifyReply, response: BackendResponse) => void)
    | undefined
  /** Sends the reply itself when no response can be given. @default reply.send(error) */
  readonly onError?: ((reply: FastifyReply, failure: { readonly error: Error }) => void) | undefined
}

/** The same, checked. */
export interface Rewriting extends Omit<RewriteOptions, 'responseHeaders'> {
  readonly responseHeaders: HeaderEdits | undefined
}

export const REWRITE_OPTION_KEYS = [
  'rewritePrefix',
  'rewriteRequestHeaders',
  'rewriteHeaders',
  'responseHeaders',
  'onResponse',
  'onError',
] as const satisfies readonly (keyof RewriteOptions)[]

/** @throws OptionError naming the option, the value and the accepted values. */
export function parseRewriting(options: RewriteOptions): Rewriting {
  const { rewriteRequestHeaders, rewriteHeaders, onResponse, onError } = options
  for (const [key, value] of Object.entries({ rewriteRequestHeaders, rewriteHeaders, onResponse, onError })) {
    if (value !== undefined && typeof value !== 'function') throw new OptionError(key, value, 'a function')
  }
  return {
    rewritePrefix: parseRewritePrefix(options.rewritePrefix),
    rewriteRequestHeaders,
    rewriteHeaders,
    responseHeaders: parseHeaderEdits('responseHeaders', options.responseHeaders),
    onResponse,
    onError,
  }
}

/**
 * The fields that the client gets of a backend's response, for reply-from to copy.
 * @throws InvalidEditError for a field that cannot be written; whatever `rewriteHeaders` throws
 */
export function clientFields(fields: HeaderFields, reply: FastifyReply, rewriting: Rewriting): HeaderFields {
  mergeFields(fields, name => reply.getHeader(name))
  const { rewriteHeaders, responseHeaders } = rewriting
  if (rewriteHeaders === undefined && responseHeaders === undefined) return fields
  const edited =
    rewriteHeaders === undefined
      ? fields
      : checkedFields(fields, rewriteHeaders({ ...fields }, reply.request), 'rewriteHeaders')
  if (responseHeaders !== undefined) applyEdits(edited, responseHeaders)
  return edited
}

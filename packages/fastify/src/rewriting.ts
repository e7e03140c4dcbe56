import type { Affinity, HeaderFields, Lease } from '@limpet/core'
import { editResponse, mergeFields } from '@limpet/core/adapter'
import {
  callback,
  type OptionsOf,
  optionTable,
  type ParsedOptions,
  RESPONSE_EDITS,
} from '@limpet/core/options'
import { checkedFields } from '@limpet/http-proxy/transport'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Readable } from 'node:stream'
import { REWRITE_PREFIX } from './rewrite-prefix.ts'

/** The backend's response, as `onResponse` gets it. */
export interface BackendResponse {
  readonly statusCode: number
  /** Its fields, with the changes of `rewriteHeaders`. The reply has them already. */
  readonly headers: Readonly<HeaderFields>
  /** Its body. Once it is asked for, it must be sent or destroyed. */
  readonly stream: Readable
}

/** The application's edits of messages on their way. The names are those of @fastify/reply-from. */
export const REWRITE_OPTIONS = optionTable({
  /** Path in the place of `prefix` for the backend. Affinity reads the client's path. @default absent: backends see the whole path */
  rewritePrefix: REWRITE_PREFIX,
  /**
   * Returns the header fields for the backend, given the client's with the edits of hooks, before `requestHeaders`.
   * Affinity reads them. Errors that it throws are the application's. @default absent: none
   */
  rewriteRequestHeaders: callback<(request: FastifyRequest, headers: HeaderFields) => HeaderFields>(),
  /** Returns the header fields for the client, given the backend's with limpet's cookie. @default absent: none */
  rewriteHeaders: callback<(headers: HeaderFields, request: FastifyRequest) => HeaderFields>(),
  /** Fields to set and to remove in every response of a backend, after `rewriteHeaders`. @default absent: none are */
  responseHeaders: RESPONSE_EDITS,
  /** Sends the reply itself, when the head of the response is there: `reply.send(response.stream)`. @default absent: none */
  onResponse: callback<(request: FastifyRequest, reply: FastifyReply, response: BackendResponse) => void>(),
  /** Sends the reply itself when no response can be given, instead of `reply.send(error)`. @default absent: none */
  onError: callback<(reply: FastifyReply, failure: { readonly error: Error }) => void>(),
})

export interface RewriteOptions extends OptionsOf<typeof REWRITE_OPTIONS> {}

/** The same, checked. */
export interface Rewriting extends ParsedOptions<typeof REWRITE_OPTIONS.options> {}

/** The pool whose responses are edited. */
interface Rewritten {
  readonly affinity: Affinity
  readonly rewriting: Rewriting
}

/**
 * The fields that the client gets of a backend's response, for reply-from to copy.
 * @throws InvalidEditError for a field that cannot be written; whatever `rewriteHeaders` throws
 */
export function clientFields(
  fields: HeaderFields,
  reply: FastifyReply,
  { affinity, rewriting }: Rewritten,
  { backend, status }: Lease,
): HeaderFields {
  mergeFields(fields, name => reply.getHeader(name))
  const { rewriteHeaders, responseHeaders } = rewriting
  if (rewriteHeaders === undefined && responseHeaders === undefined) return fields
  const edited =
    rewriteHeaders === undefined
      ? fields
      : checkedFields(fields, rewriteHeaders({ ...fields }, reply.request), 'rewriteHeaders')
  if (responseHeaders !== undefined)
    editResponse(edited, responseHeaders, { backend: backend.id, pool: affinity.pool.name, affinity: status })
  return edited
}

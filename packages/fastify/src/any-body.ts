import type { FastifyInstance, FastifyRequest } from 'fastify'

const REPLACED = Symbol('limpet.replaced')

declare module 'fastify' {
  interface FastifyRequest {
    /** The client's own type, while Fastify sees another; undefined: it sees the client's. */
    [REPLACED]: { readonly type: string | undefined } | undefined
  }
}

/** The syntax of a media type that Fastify accepts (RFC 9110 §8.3.1). */
const MEDIA_TYPE =
  /^[\w!#$&^.+-]+\/[\w!#$&^.+*-]+(?:[ \t]*;[ \t]*[\w!#$&^.+-]+=(?:[\w!#$&^.+:/-]+|"[^"\\]*"))*$/

/**
 * Lets every body through this scope unparsed, as the stream that it is, so that it can be forwarded byte for byte.
 * For scopes of the app's own whose handlers call `reply.limpet()`; limpet's own routes have it already.
 */
export function acceptAnyBody(scope: FastifyInstance): void {
  if (!scope.hasRequestDecorator(REPLACED)) scope.decorateRequest(REPLACED, undefined)
  scope.addHook('preParsing', (request, _reply, payload, done) => {
    const type = request.headers['content-type']
    const isFree = type === undefined ? request.method !== 'QUERY' : MEDIA_TYPE.test(type)
    // Fastify rejects with 415 or 400 before it calls a parser. Hooks and the backend get the client's own type.
    if (!isFree) {
      request[REPLACED] = { type }
      setType(request, UNREAD)
    }
    done(null, payload)
  })
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', (request, payload, done) => {
    restore(request)
    done(null, payload)
  })
  // A request without a body meets no parser.
  scope.addHook('preValidation', (request, _reply, done) => {
    restore(request)
    done()
  })
}

function restore(request: FastifyRequest): void {
  const replaced = request[REPLACED]
  if (replaced === undefined) return
  if (request.headers['content-type'] === UNREAD) setType(request, replaced.type)
  request[REPLACED] = undefined
}

const UNREAD = 'application/octet-stream'

/** In Node's own object, so that fields that a hook edits after this are not edits of a copy. */
function setType(request: FastifyRequest, type: string | undefined): void {
  const { headers, raw } = request
  if (headers !== raw.headers) request.headers = { ...headers, 'content-type': type }
  else if (type === undefined) delete headers['content-type']
  else headers['content-type'] = type
}

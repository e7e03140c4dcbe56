import type { FastifyInstance } from 'fastify'

/** What Fastify takes for a media type (RFC 9110 §8.3.1). */
const MEDIA_TYPE =
  /^[\w!#$&^.+-]+\/[\w!#$&^.+*-]+(?:[ \t]*;[ \t]*[\w!#$&^.+-]+=(?:[\w!#$&^.+:/-]+|"[^"\\]*"))*$/

/**
 * Lets every body through this scope unparsed, as the stream that it is, so that it can be forwarded byte for byte.
 * For scopes of the app's own whose handlers call `reply.limpet()`; limpet's own routes have it already.
 */
export function acceptAnyBody(scope: FastifyInstance): void {
  scope.addHook('onRequest', (request, _reply, done) => {
    const type = request.raw.headers['content-type']
    const isFree = type === undefined ? request.method !== 'QUERY' : MEDIA_TYPE.test(type)
    // Fastify answers 415 or 400 itself before it asks a parser. What the backend gets is the client's own.
    if (!isFree) request.headers = { 'content-type': 'application/octet-stream' }
    done()
  })
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', (_request, payload, done) => {
    done(null, payload)
  })
}

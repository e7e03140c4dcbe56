import { METHODS } from 'node:http'
import type { FastifyInstance, FastifySchema, preHandlerHookHandler } from 'fastify'
import { acceptAnyBody } from './any-body.ts'
import { setErrorPage } from './error-page.ts'
import type { Forward } from './forward.ts'
import type { Limpet } from './limpet-options.ts'
import { prefixRewriter } from './rewrite-prefix.ts'
import type { ParsedRouteOptions } from './route-options.ts'
import { unclaimed } from './unclaimed.ts'
import { isHandshake, routeUpgrades } from './upgrade.ts'

/**
 * Mounts the routes of a pool in a scope of their own: the application's hooks run, and its body parsers do not.
 * Routes of the application come first, with `notFound` also those that find nothing.
 */
export async function mountRoutes(
  fastify: FastifyInstance,
  { prefix, rewriting }: Limpet,
  options: ParsedRouteOptions,
  forwardTo: Forward,
): Promise<void> {
  await fastify.register(
    async scope => {
      const { rewritePrefix } = rewriting
      const rewrite = rewritePrefix === undefined ? undefined : prefixRewriter(scope.prefix, rewritePrefix)
      const forward: Forward = reply => forwardTo(reply, rewrite)
      decorateRequest(scope)
      acceptAnyBody(scope)
      if (options.websocket) routeUpgrades(scope)
      setErrorPage(scope, fastify)
      if (options.notFound) mountNotFound(scope, options, forward)
      else mountCatchAll(scope, options, forward)
    },
    { prefix },
  )
}

/** Only the requests of limpet's routes have it, or those of a scope with `reply.limpet()`. */
export function decorateRequest(scope: FastifyInstance): void {
  if (scope.hasRequestDecorator('limpet')) return
  scope.decorateRequest('limpet', undefined)
}

function mountCatchAll(scope: FastifyInstance, options: ParsedRouteOptions, forward: Forward): void {
  const { constraints, config, schema, preHandler, preValidation } = options
  // Without a prefix the second has both, and an app may want a home page of its own.
  for (const url of scope.prefix === '' ? ['/*'] : ['/', '/*']) {
    scope.route({
      method: methodsOf(scope, options.httpMethods),
      url,
      exposeHeadRoute: false,
      // @fastify/swagger leaves the routes out: the backends describe what they serve.
      schema: { hide: true, ...schema } as FastifySchema,
      constraints: unclaimed(scope, url, constraints),
      ...(config !== undefined && { config }),
      preValidation: [...preValidation],
      preHandler: [...preHandler, takeUpgrade(forward)],
      handler: (_request, reply) => {
        // Nothing is returned: Fastify would await a reply, and it is sent by other means.
        forward(reply)
      },
    })
  }
}

function mountNotFound(scope: FastifyInstance, options: ParsedRouteOptions, forward: Forward): void {
  const { preHandler, preValidation } = options
  scope.setNotFoundHandler(
    // Fastify takes lists, and its types say otherwise.
    { preValidation: [...preValidation] as never, preHandler: [...preHandler] as never },
    (_request, reply) => {
      forward(reply)
    },
  )
}

/** A gateway forwards every method that Node's parser knows, except CONNECT, which names no resource. */
function methodsOf(scope: FastifyInstance, asked: readonly string[] | undefined): string[] {
  const methods = asked ?? METHODS.filter(method => method !== 'CONNECT')
  for (const method of methods) {
    if (!scope.supportedMethods.includes(method)) scope.addHttpMethod(method, { hasBody: true })
  }
  return [...methods]
}

/**
 * The last hook before the handler, for WebSocket handshakes only: @fastify/websocket replaces the handlers of all
 * routes that come after it, and would accept the handshake itself.
 */
function takeUpgrade(forward: Forward): preHandlerHookHandler {
  return (_request, reply, done) => {
    if (isHandshake(reply)) forward(reply)
    else done()
  }
}

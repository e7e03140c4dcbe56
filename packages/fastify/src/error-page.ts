import { STATUS_CODES } from 'node:http'
import { isAffinityError } from '@limpet/core'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** The name of Fastify's own handler: an app that has set none has this one. */
const DEFAULT_HANDLER = 'defaultErrorHandler'

/**
 * Responds with a fixed page where the app has no error handler of its own; otherwise calls that handler.
 * The page contains only public facts: the status, and the request's id for a question to an operator.
 */
export function setErrorPage(scope: FastifyInstance, app: FastifyInstance): void {
  if (app.errorHandler.name !== DEFAULT_HANDLER) return
  scope.setErrorHandler((error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
    // Fastify asks a handler only about routes that came after it; this one has been set since.
    if (app.errorHandler.name !== DEFAULT_HANDLER) return app.errorHandler(error, request, reply)
    if (!isAffinityError(error)) throw error
    const { statusCode } = error
    // reply-from has logged why a backend did not respond.
    if (error.code === 'ERR_NO_BACKEND') request.log.warn({ err: error }, error.message)
    reply.code(statusCode).headers(error.headers).type('text/plain; charset=utf-8')
    return reply.send(`${statusCode} ${STATUS_CODES[statusCode] ?? 'Error'}\nrequest ${request.id}\n`)
  })
}

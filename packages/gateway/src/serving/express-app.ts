import { isAffinityError } from '@limpet/core'
import { limpet } from '@limpet/express'
import { writeError } from '@limpet/http-proxy'
import express, { type ErrorRequestHandler } from 'express'
import { errorPage } from './error-page.ts'
import type { PoolApp, ServedPool } from './pool-app.ts'

const respondWithError: ErrorRequestHandler = (error: unknown, request, response, next) => {
  if (!isAffinityError(error) || response.headersSent) next(error)
  // A client that is still sending gets its response at once, and its connection is closed.
  else if (!request.complete) writeError(response, error)
  else errorPage.send(response, error.statusCode, error.headers)
}

/** Puts one pool behind an Express app. */
export function expressApp(pool: ServedPool): PoolApp {
  const handler = limpet(pool)
  const app = express().disable('x-powered-by').set('env', 'production').use(handler).use(respondWithError)
  return {
    request: (request, response) => void app(request, response),
    upgrade: handler.upgrade,
    close: async () => handler.close(),
  }
}

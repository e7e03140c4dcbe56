import { isAffinityError } from '@limpet/core'
import { limpet } from '@limpet/koa'
import Koa from 'koa'
import { errorPage } from './error-page.ts'
import type { PoolApp, ServedPool } from './pool-app.ts'

/** Puts one pool behind a Koa app. */
export function koaApp(pool: ServedPool): PoolApp {
  const middleware = limpet(pool)
  const app = new Koa()
  app.use(async (ctx, next) => {
    try {
      await next()
    } catch (error) {
      if (!isAffinityError(error)) throw error
      ctx.status = error.statusCode
      ctx.set(error.headers)
      ctx.type = errorPage.type
      ctx.body = errorPage.text(error.statusCode)
    }
  })
  app.use(middleware)
  // Without a listener, Koa prints every error.
  app.on('error', () => undefined)
  const listener = app.callback()
  return {
    request: (request, response) => void listener(request, response),
    upgrade: middleware.upgrade,
    close: async () => middleware.close(),
  }
}

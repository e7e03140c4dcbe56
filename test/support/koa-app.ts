import { createAffinity } from '@limpet/core'
import { limpet, type LimpetOptions } from '@limpet/koa'
import Koa, { type Context, type Middleware } from 'koa'
import type { Backend } from './backend.ts'
import { poolOf } from './fastify-app.ts'
import { serve } from './node-app.ts'

/** Middleware before a pool of these backends, and what one can see of it. */
export function pool(backends: readonly Backend[], options: Partial<LimpetOptions> = {}) {
  const affinity = createAffinity(poolOf(...backends))
  return { affinity, middleware: limpet({ use: affinity, ...options }) }
}

/** An app of these, in this order, and the errors that came to its `error` event. */
export function appOf(...middlewares: readonly Middleware[]) {
  const app = new Koa()
  const errors: unknown[] = []
  app.on('error', error => errors.push(error))
  for (const middleware of middlewares) app.use(middleware)
  return { app, errors }
}

export async function start(...middlewares: readonly Middleware[]): Promise<number> {
  return serve(appOf(...middlewares).app.callback())
}

/** Middleware that looks at what those after it have done. */
export function after(look: (ctx: Context) => unknown): Middleware {
  return async (ctx, next) => {
    await next()
    await look(ctx)
  }
}

/** As koa-mount does it: the path is cut before and put back after. */
export function mount(prefix: string, middleware: Middleware): Middleware {
  return async (ctx, next) => {
    if (!`${ctx.path}/`.startsWith(`${prefix}/`)) return next()
    const { path } = ctx
    Object.assign(ctx, { mountPath: prefix })
    ctx.path = path.slice(prefix.length) || '/'
    await middleware(ctx, async () => {
      ctx.path = path
      await next()
      ctx.path = path.slice(prefix.length) || '/'
    })
    ctx.path = path
  }
}

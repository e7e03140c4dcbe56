import type { IncomingMessage } from 'node:http'
import { endInOneWrite, readWhole } from '@limpet/http-proxy/transport'
import type Koa from 'koa'
import type { Context } from 'koa'

const WHOLE = Symbol('limpet.whole')
/** Applications whose contexts have the hook. */
const hooked = new WeakSet<object>()

/**
 * Gives Koa a body that is here as a whole as bytes, at the last moment: middleware sees the same stream as of any
 * other response, for whether a body is here already is chance. Koa's pipeline would cost as much as the forwarding.
 * (Middleware that asks for `ctx.respond` itself finds bytes in `ctx.body` from then on.)
 */
export function sendWhole(ctx: Context, body: IncomingMessage): void {
  if (!hooked.has(ctx.app)) {
    hooked.add(ctx.app)
    hook(ctx.app)
  }
  Object.assign(ctx, { [WHOLE]: body })
}

/** Koa asks `ctx.respond` when all middleware is through. One hook for all contexts: one for each would cost more than it saves. */
function hook({ context }: Koa): void {
  const before: unknown = Reflect.get(context, 'respond')
  Object.defineProperty(context, 'respond', {
    configurable: true,
    get(this: Context & { [WHOLE]?: IncomingMessage }) {
      const body = this[WHOLE]
      if (body !== undefined && this.body === body && isUntouched(body)) giveBytes(this, body)
      return before
    },
    set(this: Context, value: unknown) {
      Object.defineProperty(this, 'respond', { configurable: true, writable: true, value })
    },
  })
}

/** No listener reads it, has read of it, or has ended it. */
function isUntouched(body: IncomingMessage): boolean {
  return body.readableFlowing === null && !body.readableDidRead && !body.destroyed
}

function giveBytes(ctx: Context, body: IncomingMessage): void {
  const bytes = readWhole(body) ?? NO_BYTES
  ctx.length = bytes.length
  endInOneWrite(ctx.res)
  // Its setter would destroy the stream, and the backend's connection with it.
  Object.assign(ctx.response, { _body: bytes })
}

const NO_BYTES = Buffer.alloc(0)

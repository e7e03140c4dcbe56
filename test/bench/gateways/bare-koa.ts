/**
 * Koa with bare http-proxy-middleware. Its README has no recipe for Koa; this is what the adapters come to that its
 * author names (chimurai/http-proxy-middleware#155), without their detours, and what Koa's documentation says of
 * `ctx.respond`.
 */
import { createServer } from 'node:http'
import { createProxyMiddleware } from 'http-proxy-middleware'
import Koa from 'koa'
import { listen } from './listen.ts'

const [base = ''] = process.argv.slice(2)
const proxy = createProxyMiddleware({ target: base, changeOrigin: true })
const app = new Koa().use(async ctx => {
  ctx.respond = false
  await proxy(ctx.req, ctx.res)
})
const answer = app.callback()
listen(createServer((request, response) => void answer(request, response)))

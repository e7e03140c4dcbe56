import type { Context } from 'koa'

/**
 * The request target with the path at which limpet is mounted, and with earlier middleware's edits of `ctx.url`.
 * koa-mount removes its path from `ctx.url`, keeps it in `ctx.mountPath`, and leaves it there when the request goes on.
 */
export function wholeUrl(ctx: Context): string {
  const { url, originalUrl } = ctx
  const mountPath: unknown = ctx['mountPath']
  if (url === originalUrl || typeof mountPath !== 'string') return url
  const prefix = mountPath.endsWith('/') ? mountPath.slice(0, -1) : mountPath
  for (const rest of [url, url.slice(1)]) {
    // It may be mounted within another mount.
    if (originalUrl.endsWith(rest) && originalUrl.slice(0, originalUrl.length - rest.length).endsWith(prefix))
      return originalUrl
  }
  return isUnder(url, prefix) ? url : `${prefix}${url}`
}

function isUnder(url: string, prefix: string): boolean {
  return url.startsWith(prefix) && [undefined, '/', '?'].includes(url[prefix.length])
}

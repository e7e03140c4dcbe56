import type { Request } from 'express'

type Target = Pick<Request, 'url' | 'baseUrl' | 'originalUrl'>

/**
 * The request target with the path at which limpet is mounted, and with earlier middleware's edits of `url`. A
 * router removes its own path from `url` and keeps it in `baseUrl`. It adds the slash that a path has to begin with, and
 * that of Express 4 removes one of two slashes.
 */
export function wholeUrl({ url, baseUrl, originalUrl }: Target): string {
  // Middleware that restored the whole target by itself.
  if (baseUrl === '' || url === originalUrl) return url
  const origin = /^https?:\/\/[^/?#]*/i.exec(url)?.[0] ?? ''
  const rest = url.slice(origin.length)
  const isUntouched = [rest, rest.slice(1), `/${rest}`].some(
    path => `${origin}${baseUrl}${path}` === originalUrl,
  )
  return isUntouched ? originalUrl : `${origin}${baseUrl}${rest}`
}

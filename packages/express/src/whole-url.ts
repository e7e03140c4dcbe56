import type { Request } from 'express'

type Target = Pick<Request, 'url' | 'baseUrl' | 'originalUrl'>

/**
 * The request target with the path at which limpet is mounted, and with what earlier middleware wrote into `url`. A
 * router cuts its own path off `url` and keeps it in `baseUrl`. It adds the slash that a path has to begin with, and
 * that of Express 4 cuts off one of two slashes.
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

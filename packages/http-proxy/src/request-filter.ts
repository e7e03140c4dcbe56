import type { IncomingMessage } from 'node:http'

/** Whether a request is a pool's. Of an upgrade there is no more than the bare request to look at. */
export type RequestFilter = (request: IncomingMessage) => boolean

/** The same with the framework's own object for a request, which an upgrade has not. */
export type ContextFilter = (request: IncomingMessage, context?: unknown) => boolean

/**
 * A filter that gets `url`, the whole request target, where a router has shortened that of the request. The target
 * of an upgrade is always whole.
 */
export function requestFilter(
  filter: ContextFilter | undefined,
): (request: IncomingMessage, url?: string, context?: unknown) => boolean {
  if (filter === undefined) return () => true
  return (request, url, context) => {
    const { url: cut } = request
    if (cut === undefined || url === undefined || url === cut) return filter(request, context)
    request.url = url
    try {
      return filter(request, context)
    } finally {
      request.url = cut
    }
  }
}

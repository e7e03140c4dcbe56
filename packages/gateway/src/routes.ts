/** What of all requests a pool gets. */
export interface Route {
  /** In lower case; undefined: any. */
  readonly host: string | undefined
  readonly path: string
  readonly pool: string
}

/** Says whose a request is, by the Host and the target as the client sent them. */
export type Router = (host: string | undefined, url: string) => string | undefined

/**
 * A host beats no host, and then the longest path that matches wins. `/api/` is all under it; `/api` is that, itself,
 * and what follows a question mark, and not `/apis`.
 */
export function router(routes: readonly Route[]): Router {
  const byHost = new Map<string | undefined, Route[]>()
  for (const route of routes.toSorted((a, b) => b.path.length - a.path.length)) {
    const list = byHost.get(route.host) ?? []
    byHost.set(route.host, list)
    list.push(route)
  }
  const anywhere = byHost.get(undefined) ?? []
  const hasHosts = byHost.size > (anywhere.length > 0 ? 1 : 0)
  return (host, url) => {
    const path = pathOf(url)
    const own = hasHosts && host !== undefined ? byHost.get(hostName(host)) : undefined
    return (
      own?.find(route => isUnder(path, route.path)) ?? anywhere.find(route => isUnder(path, route.path))
    )?.pool
  }
}

function isUnder(path: string, prefix: string): boolean {
  if (!path.startsWith(prefix)) return false
  return prefix.endsWith('/') || path.length === prefix.length || path[prefix.length] === '/'
}

/** The path of a target, as it was sent: in origin-form, or in absolute-form (RFC 9112 §3.2). */
function pathOf(url: string): string {
  const origin = /^https?:\/\/[^/?#]*/i.exec(url)
  const target = origin === null ? url : url.slice(origin[0].length) || '/'
  const end = target.search(/[?#]/)
  return end < 0 ? target : target.slice(0, end)
}

/** Without the port, and without the dot that a name may end in. */
function hostName(host: string): string {
  return host.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '')
}

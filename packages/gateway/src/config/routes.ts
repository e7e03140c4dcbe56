import { routePath } from './route-path.ts'

/** One route: the requests that a pool gets. */
export interface Route {
  /** In lower case; `*.` and a name: all names below it; undefined: any. */
  readonly host: string | undefined
  readonly path: string
  readonly pool: string
}

/** A target that servers read in different ways, where a route is chosen by the path. */
export const AMBIGUOUS = Symbol('ambiguous')

/**
 * The pool of a request, by the Host and the target as the client sent them; undefined where no route matches.
 */
export type Router = (host: string | undefined, url: string) => string | typeof AMBIGUOUS | undefined

/**
 * A host beats a pattern (`*.test.com`), a longer pattern a shorter one, and any pattern no host. Then the longest path
 * that matches wins. `/api/` matches all paths below it. `/api` matches itself, also with a query, and not `/apis`.
 * Where a route has a path, targets that servers interpret in different ways are refused (see `routePath`).
 */
export function router(routes: readonly Route[]): Router {
  const byHost = new Map<string, Route[]>()
  const byParent = new Map<string, Route[]>()
  const anywhere: Route[] = []
  for (const route of routes.toSorted((a, b) => b.path.length - a.path.length)) {
    const { host } = route
    if (host === undefined) anywhere.push(route)
    else if (host.startsWith('*.')) listAt(byParent, host.slice(2)).push(route)
    else listAt(byHost, host).push(route)
  }
  const hasHosts = byHost.size + byParent.size > 0
  const hasPaths = routes.some(({ path }) => path !== '/')

  return (host, url) => {
    const read = routePath(url)
    if (read === undefined && hasPaths) return AMBIGUOUS
    // Without paths every target is under `/`.
    const path = read ?? '/'
    if (hasHosts && host !== undefined) {
      const name = hostName(host)
      const own = poolAt(byHost.get(name), path) ?? poolBelow(byParent, name, path)
      if (own !== undefined) return own
    }
    return poolAt(anywhere, path)
  }
}

/**
 * The pools that clients of one host can reach, for each host that the routes tell apart: `undefined` is a host that no
 * route names.
 */
export function poolsByHost(routes: readonly Route[]): ReadonlyMap<string | undefined, ReadonlySet<string>> {
  const hosts = new Set([undefined, ...routes.map(({ host }) => host)])
  return new Map(Array.from(hosts, host => [host, poolsOf(host, routes)]))
}

function poolsOf(host: string | undefined, routes: readonly Route[]): ReadonlySet<string> {
  const pools = new Set<string>()
  // In the order in which the router asks them.
  for (const key of [host, ...parentsOf(host), undefined]) {
    const own = routes.filter(route => route.host === key)
    for (const { pool } of own) pools.add(pool)
    // Nothing is left for the next.
    if (own.some(({ path }) => path === '/')) break
  }
  return pools
}

/** The patterns that match `host`, the nearest first. */
function parentsOf(host = ''): readonly string[] {
  const labels = host.replace(/^\*\./, '').split('.')
  return labels.map((_, index) => `*.${labels.slice(index + (host.startsWith('*.') ? 0 : 1)).join('.')}`)
}

function listAt(lists: Map<string, Route[]>, key: string): Route[] {
  const list = lists.get(key) ?? []
  lists.set(key, list)
  return list
}

function poolAt(routes: readonly Route[] | undefined, path: string): string | undefined {
  return routes?.find(route => isUnder(path, route.path))?.pool
}

/** The nearest of the names above. */
function poolBelow(byParent: ReadonlyMap<string, Route[]>, name: string, path: string): string | undefined {
  if (byParent.size === 0) return undefined
  for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
    const pool = dot === 0 ? undefined : poolAt(byParent.get(name.slice(dot + 1)), path)
    if (pool !== undefined) return pool
  }
  return undefined
}

function isUnder(path: string, prefix: string): boolean {
  if (!path.startsWith(prefix)) return false
  return prefix.endsWith('/') || path.length === prefix.length || path[prefix.length] === '/'
}

/** Without the port, and without the dot that a name may end in. */
function hostName(host: string): string {
  return host.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '')
}

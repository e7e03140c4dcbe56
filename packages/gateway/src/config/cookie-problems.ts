import { cookiesCollide, cookiesCollideAcrossHosts, type WrittenCookie } from '@limpet/core/adapter'
import { parseHttpProxyOptions } from '@limpet/http-proxy/transport'
import type { PoolConfig } from './config.ts'
import { ADAPTER_OPTIONS } from './pool-file.ts'
import type { Problem } from './problem.ts'
import { poolsByHost, type Route } from './routes.ts'

/**
 * Pools of one host, or with one domain, that write one cookie: each would take the other's for a forgery, and place a browser's session anew with
 * every request. Names of cookies are not shown, because a secret may stand in their place.
 */
export function cookieProblems(routes: readonly Route[], pools: readonly PoolConfig[]): readonly Problem[] {
  if (pools.length < 2) return []
  const cookies = new Map(
    // Backends write no cookies, and there may be thousands.
    pools.map(({ name, options }) => [
      name,
      parseHttpProxyOptions({ ...options, backends: [] }, ADAPTER_OPTIONS).affinity.cookies,
    ]),
  )
  const problems = new Map<string, Problem>()
  function compare(reached: ReadonlySet<string>, where: string, collide: typeof cookiesCollide): void {
    const names = pools.map(({ name }) => name).filter(name => reached.has(name))
    for (const [index, name] of names.entries()) {
      const other = names
        .slice(0, index)
        .find(earlier => some(cookies.get(earlier), cookies.get(name), collide))
      if (other === undefined || problems.has(name)) continue
      problems.set(name, {
        path: `pools.${name}.affinity`,
        text: `writes a cookie that pools.${other} writes ${where}, so each would move the other's sessions; give one of them another cookie.name, or a cookie.path of its own`,
      })
    }
  }
  for (const [host, reached] of poolsByHost(routes))
    compare(reached, host === undefined ? 'for the same hosts' : `for ${host}`, cookiesCollide)
  const reached = new Set(routes.map(({ pool }) => pool))
  compare(reached, 'for hosts of the same cookie.domain', cookiesCollideAcrossHosts)
  return [...problems.values()]
}

function some(
  a: readonly WrittenCookie[] = [],
  b: readonly WrittenCookie[] = [],
  collide: typeof cookiesCollide,
): boolean {
  return a.some(cookie => b.some(other => collide(cookie, other)))
}

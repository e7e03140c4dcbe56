import type { ConfigFile } from './config-options.ts'
import type { PoolFile } from './pool-file.ts'

/** Settings of a file that are valid and often a mistake. `limpet check` prints it. */
export function adviceOn({ routes, pools }: ConfigFile): readonly string[] {
  const names = Object.keys(pools)
  return [
    ...(routes === undefined ? [] : routeAdvice(routes, names)),
    ...Object.entries(pools).flatMap(([name, pool]) => poolAdvice(`pools.${name}`, pool)),
  ]
}

function routeAdvice(routes: NonNullable<ConfigFile['routes']>, names: readonly string[]): readonly string[] {
  const hasDefault = routes.some(({ host, path = '/' }) => host === undefined && path === '/')
  const unused = names.filter(name => !routes.some(({ pool }) => pool === name))
  return [
    ...(hasDefault
      ? []
      : ['routes has no default: a request that no route matches gets 404; add { pool: NAME }']),
    ...unused.map(name => `pools.${name} is in no route: it gets no request`),
  ]
}

function poolAdvice(
  path: string,
  { backends = [], discovery, affinity, balance, health }: PoolFile,
): readonly string[] {
  const several = backends.length > 1 || discovery !== undefined
  const hashes = typeof balance === 'object'
  const keepsNone = affinity === undefined && !hashes
  return [
    ...(several && keepsNone
      ? [`${path} has no affinity: requests of one session go to any backend; add affinity: [{ cookie: {} }]`]
      : []),
    ...(health !== undefined &&
    health.tcp !== true &&
    health.path === undefined &&
    health.expect === undefined
      ? [
          `${path}.health asks for / and expects 2xx: an application that redirects there counts as down; set health.path, or health.expect`,
        ]
      : []),
  ]
}

import type { GatewayConfig, PoolConfig } from '../config/config.ts'

/** The changes of a reload, by the paths of the file. */
export interface Changes {
  readonly changed: readonly string[]
  /** Changed options that take effect only at a restart. */
  readonly needsRestart: readonly string[]
}

type Part = readonly [path: string, of: (config: GatewayConfig) => unknown]

const PARTS: readonly Part[] = [
  ['listen', ({ listen: { tls, ...listen } }) => [listen, tls === undefined]],
  ['listen.tls', ({ listen }) => listen.tls],
  ['adapter', ({ adapter }) => adapter],
  ['workers', ({ workers }) => workers],
  ['reload', ({ reload }) => reload],
  ['preStop', ({ preStopMs }) => preStopMs],
  ['shutdownGrace', ({ shutdownGraceMs }) => shutdownGraceMs],
  ['limits', ({ limits }) => ({ ...limits, maxHeaderSize: undefined })],
  ['limits.headers', ({ limits }) => limits.maxHeaderSize],
  ['log', ({ log }) => log],
  ['routes', ({ routes }) => routes],
  ['admin', ({ admin }) => admin],
  ['store', ({ store }) => store],
]

/** Applies `after` to a gateway that was started with `before`: options that need a restart keep their values. */
export function reloaded(before: GatewayConfig, after: GatewayConfig): GatewayConfig {
  const { listen, adapter, workers, reload, limits, log, admin, store } = before
  return {
    ...after,
    listen: { ...listen, tls: listen.tls && (after.listen.tls ?? listen.tls) },
    limits: { ...after.limits, maxHeaderSize: limits.maxHeaderSize },
    adapter,
    workers,
    reload,
    log,
    admin,
    store,
  }
}

export function changesBetween(before: GatewayConfig, after: GatewayConfig): Changes {
  const next = reloaded(before, after)
  return {
    changed: [...poolsThatDiffer(before.pools, after.pools), ...partsThatDiffer(before, next)],
    needsRestart: partsThatDiffer(next, after),
  }
}

function partsThatDiffer(one: GatewayConfig, other: GatewayConfig): string[] {
  return PARTS.filter(([, of]) => JSON.stringify(of(one)) !== JSON.stringify(of(other))).map(([path]) => path)
}

function poolsThatDiffer(before: readonly PoolConfig[], after: readonly PoolConfig[]): string[] {
  const was = new Map(before.map(pool => [pool.name, pool]))
  const is = new Map(after.map(pool => [pool.name, pool]))
  return [...new Set([...was.keys(), ...is.keys()])].flatMap(name => {
    const [one, other] = [was.get(name), is.get(name)]
    if (one?.signature !== other?.signature) return [`pools.${name}`]
    const isSame = JSON.stringify(one?.options.backends) === JSON.stringify(other?.options.backends)
    return isSame ? [] : [`pools.${name}.backends`]
  })
}

import { availableParallelism } from 'node:os'
import {
  asGiven,
  duration,
  list,
  needed,
  type OptionsOf,
  optionTable,
  parsed,
  record,
  table,
  TRUST_PROXY,
  word,
  wordError,
} from '@limpet/core/options'
import { ADMIN } from './admin-options.ts'
import { NAME, NAME_TAKES, REFERENCE } from './file-kinds.ts'
import { LIMITS } from './limits-options.ts'
import { LISTEN } from './listen-options.ts'
import { LOG } from './log-options.ts'
import { POOL_OPTIONS, type PoolFile } from './pool-file.ts'
import { ROUTES } from './route-options.ts'
import { STORE } from './store-options.ts'
import type { Written } from './written.ts'

const MAX_WORKERS = 1024
const WORKERS = `a whole number from 1 to ${MAX_WORKERS}, or auto`

/** The pools are read one by one, when all references of the file are resolved. */
const POOLS = asGiven<Readonly<Record<string, PoolFile>>>(
  'an object with pools by name',
  record(table(POOL_OPTIONS), {
    pattern: NAME,
    names: `names of ${NAME_TAKES}`,
    takes: 'an object with pools by name',
    min: 1,
  }),
)

/** The gateway's file. */
export const CONFIG_OPTIONS = optionTable({
  /** The address for clients, as `address:port` or as an object. @default 127.0.0.1:8080 */
  listen: LISTEN,
  /** The framework of the gateway. @default fastify */
  adapter: word(['fastify', 'express', 'koa'], { default: 'fastify' }),
  /** Addresses and CIDR ranges of proxies whose `X-Forwarded-*` is trusted. @default [] */
  trustProxy: TRUST_PROXY,
  /** Keys that sign cookies, newest first: at least 32 bytes each. @default a random one, with a warning */
  secrets: list(REFERENCE, { takes: 'a list of secrets, one at least', min: 1 }),
  /** After the signal to end, new requests are served for this long while `/healthz` responds with 503, so that a load balancer in front notices. @default 0s */
  preStop: duration({ default: '0s' }),
  /** Time for requests in flight to end at a shutdown. @default 10s */
  shutdownGrace: duration({ default: '10s' }),
  /** Processes that share the port; `auto`: one for each core. @default 1 */
  workers: parsed<number | 'auto', number>(WORKERS, parseWorkers, {
    anyOf: [{ type: 'integer', minimum: 1, maximum: MAX_WORKERS }, { const: 'auto' }],
    default: 1,
  }),
  /** `signal`: SIGHUP reads the file again. `watch`: so does a change of the file, or of a file that it refers to. @default signal */
  reload: word(['signal', 'watch'], { default: 'signal' }),
  /** Limits for slow and greedy clients. */
  limits: LIMITS,
  /** The log, on the standard output. */
  log: LOG,
  /** The pool of each request. A host beats `*.test.com`, which beats no host; then the longest path that matches wins. An unmatched request gets 404. @default all to the only pool */
  routes: ROUTES,
  /** The pools by name: backends, and how their sessions are kept. */
  pools: needed(POOLS),
  /** Shares learned sessions and operators' commands with other gateways. @default absent: the workers of one gateway share learned sessions */
  store: STORE,
  /** The admin port. @default absent: there is none */
  admin: ADMIN,
})

/** A file of the right shape, as it stands there. */
export type ConfigFile = Written<Omit<OptionsOf<typeof CONFIG_OPTIONS>, 'pools'>> & {
  pools: Record<string, PoolFile>
}

function parseWorkers(path: string, value: unknown = 1): number {
  if (value === 'auto') return availableParallelism()
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > MAX_WORKERS)
    throw wordError(path, value, ['auto'], WORKERS)
  return value
}

import { Document, isMap, isScalar, isSeq, type Node, type Pair } from 'yaml'
import type { ConfigFile } from '../config/config-options.ts'
import type { PoolFile } from '../config/pool-file.ts'
import { lineOf } from './report.ts'
import { BrokenFileError } from './statement.ts'

export type BackendFile = NonNullable<PoolFile['backends']>[number]
export type PolicyFile = NonNullable<PoolFile['affinity']>[number]
export type RouteFile = NonNullable<ConfigFile['routes']>[number]

/** One pool of the file that is being made. */
export interface PoolDraft {
  readonly name: string
  /** Where it comes from, as a comment. */
  readonly origin: string
  readonly file: PoolFile
}

const MAX_NAME = 64
const MAX_POOLS = 1000
const MAX_BACKENDS = 1000
/** Of a pool: on one line each. */
const ON_ONE_LINE = new Set(['backends', 'affinity', 'timeouts', 'health', 'passive', 'balance', 'tls'])

/** The limpet file that is being made of another server's. */
export class Draft {
  readonly pools: PoolDraft[] = []
  readonly routes: RouteFile[] = []
  readonly limits: NonNullable<ConfigFile['limits']> = {}
  readonly trustProxy: string[] = []
  listen: ConfigFile['listen']
  workers: ConfigFile['workers']
  admin: ConfigFile['admin']

  readonly #pathPools = new Map<string, string>()

  /**
   * A new pool; its name is made legal and unique.
   * @throws BrokenFileError for more pools than a gateway is meant for
   */
  addPool(name: string, origin: string, line: number): PoolDraft {
    if (this.pools.length >= MAX_POOLS)
      throw new BrokenFileError(line, `the file has more than ${MAX_POOLS} pools`)
    const taken = new Set(this.pools.map(({ name: other }) => other))
    const pool = { name: legalName(name, taken), origin: `${origin}, line ${line}`, file: {} }
    this.pools.push(pool)
    return pool
  }

  /** False for a host and path that another pool has already. The same route twice counts once. */
  addRoute(route: RouteFile): boolean {
    const key = `${route.host?.toLowerCase() ?? ''} ${route.path ?? '/'}`
    const known = this.#pathPools.get(key)
    if (known !== undefined) return known === route.pool
    this.#pathPools.set(key, route.pool)
    this.routes.push(route)
    return true
  }

  get value(): ConfigFile {
    const { listen, workers, limits, trustProxy, admin } = this
    const isSigned = this.pools.some(({ file }) => file.affinity?.some(policy => isSigning(policy)))
    return {
      ...(listen !== undefined && { listen }),
      ...(workers !== undefined && { workers }),
      ...(trustProxy.length > 0 && { trustProxy: [...new Set(trustProxy)] }),
      ...(isSigned && { secrets: ['env:LIMPET_SECRET'] }),
      ...(Object.keys(limits).length > 0 && { limits }),
      ...(needsRoutes(this.routes, this.pools) && { routes: this.routes }),
      pools: Object.fromEntries(this.pools.map(({ name, file }) => [name, inOrder(file)])),
      ...(admin !== undefined && { admin }),
    }
  }

  /** @param head the comment at the top */
  text(head: string): string {
    const document = new Document(this.value)
    document.commentBefore = commentOf(head)
    for (const pair of pairsOf(document.get('pools', true))) {
      const pool = this.pools.find(({ name }) => isScalar(pair.key) && pair.key.value === name)
      if (pool !== undefined) (pair.key as Node).commentBefore = commentOf(pool.origin)
      for (const { key, value } of pairsOf(pair.value))
        if (isScalar(key) && ON_ONE_LINE.has(String(key.value))) inFlow(value)
    }
    const routes = document.get('routes', true)
    if (routes !== undefined) inFlow(routes)
    return document.toString({ lineWidth: 0, singleQuote: true, flowCollectionPadding: true })
  }
}

const FIRST_KEYS = ['backends', 'discovery', 'affinity', 'balance'] as const

/** Sorts the options by importance to a reader. */
function inOrder(file: PoolFile): PoolFile {
  const first = FIRST_KEYS.flatMap(key => (file[key] === undefined ? [] : [[key, file[key]]]))
  return { ...(Object.fromEntries(first) as PoolFile), ...file }
}

function needsRoutes(routes: readonly RouteFile[], pools: readonly PoolDraft[]): boolean {
  const [only] = routes
  if (only === undefined) return false
  // All requests go to the only pool by themselves.
  return pools.length > 1 || routes.length > 1 || only.host !== undefined || (only.path ?? '/') !== '/'
}

function isSigning(policy: PolicyFile): boolean {
  return 'cookie' in policy || 'prefix' in policy
}

function pairsOf(node: unknown): readonly Pair[] {
  return isMap(node) ? node.items : []
}

/** A list gets its items on one line each, and a map becomes one line. */
function inFlow(node: unknown): void {
  if (isSeq(node)) for (const item of node.items) inFlow(item)
  else if (isMap(node)) node.flow = true
}

function commentOf(text: string): string {
  return text
    .split('\n')
    .map(line => ` ${lineOf(line, 200)}`)
    .join('\n')
}

/**
 * Adds a backend; its name becomes a legal id that no other of the pool has.
 * @throws BrokenFileError for more backends than a file should list
 */
export function addBackend(
  file: PoolFile,
  name: string,
  backend: Omit<BackendFile, 'id'>,
  line: number,
): BackendFile {
  const backends = file.backends ?? []
  if (backends.length >= MAX_BACKENDS)
    throw new BrokenFileError(line, `a pool has more than ${MAX_BACKENDS} backends`)
  const added = { id: legalName(name, new Set(backends.map(({ id }) => id))), ...backend }
  backends.push(added)
  file.backends = backends
  return added
}

/** A legal name of a pool or a backend, unlike all of `taken`. */
function legalName(text: string, taken: ReadonlySet<string>): string {
  const plain =
    text
      .replaceAll(/[^A-Za-z0-9_-]+/g, '_')
      .replaceAll(/^_+|_+$/g, '')
      .slice(0, MAX_NAME) || 'unnamed'
  let name = plain
  for (let count = 2; taken.has(name); count += 1)
    name = `${plain.slice(0, MAX_NAME - 1 - String(count).length)}-${count}`
  return name
}

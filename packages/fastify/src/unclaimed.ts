import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, RouteOptions } from 'fastify'

/** The constraint of limpet's catch-all routes. Its name shows in `printRoutes()`. */
const UNCLAIMED = 'limpet'

type Constraints = NonNullable<RouteOptions['constraints']>

/**
 * The value of the constraint: the route takes a method only if the application has no route of its own for it, with
 * the same url and otherwise the same constraints. Fastify would refuse two such routes, in either order of
 * registration; routes with different constraints stand side by side.
 */
class Unclaimed {
  /** Two pools with one url are a mistake, which Fastify reports because their values are equal. */
  readonly url: string
  readonly #app: FastifyInstance
  readonly #others: Constraints
  readonly #isFree = new Map<string, boolean>()

  constructor(app: FastifyInstance, url: string, others: Constraints) {
    this.#app = app
    this.url = url
    this.#others = others
  }

  /** Whether no other route has claimed `method`. Asked by requests, when all routes are known. */
  takes(method: string): boolean {
    const known = this.#isFree.get(method)
    if (known !== undefined) return known
    const free = !this.#app.hasRoute({ method, url: this.url, constraints: this.#others })
    this.#isFree.set(method, free)
    return free
  }

  toString(): string {
    return 'unclaimed'
  }
}

/** The data of Fastify's router by constraint value: a number for each route. */
interface Store {
  get(key: unknown): number | null
  set(value: Unclaimed, routes: number): void
}

function newStore(): Store {
  const known: [value: Unclaimed, routes: number][] = []
  return {
    /** @param key a request's method, or the value of a route that is being added */
    get(key) {
      let found = 0
      for (const [value, routes] of known) {
        if (typeof key === 'string' ? value.takes(key) : value === key) found |= routes
      }
      return found
    },
    set(value, routes) {
      const at = known.findIndex(([each]) => each === value)
      if (at < 0) known.push([value, routes])
      else known[at] = [value, routes]
    },
  }
}

/**
 * Constraints for a route of `scope` that gives way to the application's own routes.
 * @param others the route's other constraints
 */
export function unclaimed(scope: FastifyInstance, url: string, others: Constraints = {}): Constraints {
  if (!scope.hasConstraintStrategy(UNCLAIMED)) {
    scope.addConstraintStrategy({
      name: UNCLAIMED,
      storage: newStore as object as () => { get(key: unknown): never; set(key: unknown): void },
      validate: () => undefined,
      deriveConstraint: (request: IncomingMessage) => request.method,
    })
  }
  return { ...others, [UNCLAIMED]: new Unclaimed(scope, fullUrl(scope.prefix, url), others) }
}

/** As Fastify joins them. */
function fullUrl(prefix: string, url: string): string {
  return prefix.endsWith('/') ? prefix + url.slice(1) : prefix + url
}

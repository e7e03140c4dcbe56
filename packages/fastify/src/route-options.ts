import { OptionError } from '@limpet/core'
import {
  boolean,
  callback,
  isRecord,
  kind,
  list,
  type OptionKind,
  type OptionsOf,
  optionTable,
  type ParsedOptions,
  text,
} from '@limpet/core/options'
import type {
  FastifySchema,
  preHandlerHookHandler,
  preValidationHookHandler,
  RouteOptions as Route,
} from 'fastify'

const METHOD = text({ pattern: /^(?!CONNECT$)[A-Z-]+$/, takes: 'a method in upper case, except CONNECT' })

/** The routes of a pool in the application. The names are those of @fastify/http-proxy where it has them. */
export const FASTIFY_ROUTE_OPTIONS = optionTable({
  /**
   * Takes the requests that no route of the application takes, by the not-found handler of `prefix`: also those that
   * a route gives up with `reply.callNotFound()`, as `@fastify/static` does for a missing file. The application can
   * then have no not-found handler of its own under this prefix. @default false
   */
  notFound: boolean({ default: false }),
  /** Methods that the routes take. @default absent: all but CONNECT */
  httpMethods: list(METHOD, { takes: 'a list of methods, such as GET and POST, without CONNECT', min: 1 }),
  /** Constraints of the routes, such as `{ host: 'shop.example' }`. @default absent: none */
  constraints: object<NonNullable<Route['constraints']>>(),
  /** `config` of the routes, for plugins such as `@fastify/rate-limit`. @default absent: none */
  config: object(),
  /** Schema of the routes' params, query string and headers. Bodies are not parsed. @default absent: none */
  schema: object<FastifySchema>(({ body }) =>
    body === undefined ? undefined : ['body', 'cannot be checked: bodies are forwarded, not parsed'],
  ),
  /** Hooks of the routes, after those of the application. @default absent: none */
  preValidation: hooks<preValidationHookHandler>(),
  /** Hooks of the routes, after those of the application and before a backend is chosen. @default absent: none */
  preHandler: hooks<preHandlerHookHandler>(),
  /** Whether the routes take WebSocket handshakes. False: a handshake is forwarded as a plain request. @default true */
  websocket: boolean({ default: true }),
})

export interface RouteOptions extends OptionsOf<typeof FASTIFY_ROUTE_OPTIONS> {}

/** The same, complete and checked. */
export interface ParsedRouteOptions extends ParsedOptions<typeof FASTIFY_ROUTE_OPTIONS.options> {}

/** Options that a not-found handler cannot have. */
const ROUTES_ONLY = ['httpMethods', 'constraints', 'config', 'schema'] as const

/**
 * Finds options that contradict each other.
 * @param given the options as the user has written them
 * @param parsed whether there are routes at all, and whether they are a not-found handler
 */
export function* routeProblems(
  given: RouteOptions,
  { routes, notFound }: { readonly routes: boolean; readonly notFound: boolean },
): Iterable<OptionError> {
  if (!routes) yield* idle(given, FASTIFY_ROUTE_OPTIONS.keys, 'routes: false, which mounts no routes')
  else if (notFound) yield* idle(given, ROUTES_ONLY, 'notFound: true, which mounts a not-found handler')
}

function* idle(
  given: RouteOptions,
  keys: readonly (keyof RouteOptions)[],
  with_: string,
): Iterable<OptionError> {
  for (const key of keys) {
    if (given[key] !== undefined) yield new OptionError(key, given[key], '', `has no effect with ${with_}`)
  }
}

/** An object that Fastify reads. @param problemOf what limpet cannot do with it: a key, and why */
function object<T extends object = object>(
  problemOf: (value: T) => readonly [key: string, problem: string] | undefined = () => undefined,
): OptionKind<T, T | undefined, false> {
  return kind<T, T | undefined>({
    takes: 'an object',
    read: (path, value, errors) => {
      if (value === undefined) return undefined
      if (!isRecord(value)) {
        errors.push(new OptionError(path, value, 'an object'))
        return undefined
      }
      const [key, problem] = problemOf(value as T) ?? []
      if (key !== undefined) errors.push(new OptionError(`${path}.${key}`, value[key], '', problem))
      return value as T
    },
  })
}

function hooks<T>(): OptionKind<T | readonly T[], readonly T[], false> {
  const one = callback<Extract<T, (...args: never[]) => unknown>>({ takes: 'a hook or a list of hooks' })
  return kind<T | readonly T[], readonly T[]>({
    takes: one.takes,
    read: (path, value, errors) => {
      if (!Array.isArray(value)) {
        const hook = one.read(path, value, errors)
        return hook === undefined ? [] : [hook]
      }
      const all: readonly unknown[] = value
      return all.flatMap((each, index) => one.read(`${path}[${index}]`, each ?? null, errors) ?? [])
    },
  })
}

import { OptionError } from '@limpet/core'
import { optionBoolean } from '@limpet/core/options'
import type {
  FastifySchema,
  preHandlerHookHandler,
  preValidationHookHandler,
  RouteOptions as Route,
} from 'fastify'

/** Where the routes of a pool stand in the application. The names are those of @fastify/http-proxy where it has them. */
export interface RouteOptions {
  /**
   * Takes the requests that no route of the application takes, by the not-found handler of `prefix`: also those that
   * a route gives up with `reply.callNotFound()`, as `@fastify/static` does for a missing file. The application can
   * then have no not-found handler of its own under this prefix. @default false
   */
  readonly notFound?: boolean | undefined
  /** Methods that the routes take. @default all but CONNECT */
  readonly httpMethods?: readonly string[] | undefined
  /** Constraints of the routes, such as `{ host: 'shop.example' }`. @default absent: none */
  readonly constraints?: Route['constraints']
  /** `config` of the routes, for plugins such as `@fastify/rate-limit`. @default absent: none */
  readonly config?: object | undefined
  /** Schema of the routes' params, query string and headers. Bodies are not parsed. @default absent: none */
  readonly schema?: FastifySchema | undefined
  /** Hooks of the routes, after those of the application. @default absent: none */
  readonly preValidation?: preValidationHookHandler | readonly preValidationHookHandler[] | undefined
  /** Hooks of the routes, after those of the application and before a backend is chosen. @default absent: none */
  readonly preHandler?: preHandlerHookHandler | readonly preHandlerHookHandler[] | undefined
  /** Whether the routes take WebSocket handshakes. False: a handshake is forwarded as a plain request. @default true */
  readonly websocket?: boolean | undefined
}

/** The same, complete and checked. */
export interface ParsedRouteOptions {
  readonly notFound: boolean
  readonly httpMethods: readonly string[] | undefined
  readonly constraints: Route['constraints']
  readonly config: object | undefined
  readonly schema: FastifySchema | undefined
  readonly preValidation: readonly preValidationHookHandler[]
  readonly preHandler: readonly preHandlerHookHandler[]
  readonly websocket: boolean
}

export const ROUTE_OPTION_KEYS = [
  'notFound',
  'httpMethods',
  'constraints',
  'config',
  'schema',
  'preValidation',
  'preHandler',
  'websocket',
] as const satisfies readonly (keyof RouteOptions)[]

/** Options that a not-found handler cannot have. */
const ROUTES_ONLY = ['httpMethods', 'constraints', 'config', 'schema'] as const

/**
 * @param routes whether there are routes at all
 * @throws OptionError naming the option, the value and the accepted values
 */
export function parseRouteOptions(options: RouteOptions, routes: boolean): ParsedRouteOptions {
  const notFound = optionBoolean('notFound', options.notFound, false)
  if (!routes) refuse(options, ROUTE_OPTION_KEYS, 'routes: false, which mounts no routes')
  if (notFound) refuse(options, ROUTES_ONLY, 'notFound: true, which mounts a not-found handler')
  return {
    notFound,
    httpMethods: methods(options.httpMethods),
    constraints: record('constraints', options.constraints),
    config: record('config', options.config),
    schema: schemaOf(options.schema),
    preValidation: hooks('preValidation', options.preValidation),
    preHandler: hooks('preHandler', options.preHandler),
    websocket: optionBoolean('websocket', options.websocket, true),
  }
}

function refuse(options: RouteOptions, keys: readonly (keyof RouteOptions)[], with_: string): void {
  for (const key of keys) {
    if (options[key] !== undefined)
      throw new OptionError(key, options[key], '', `has no effect with ${with_}`)
  }
}

function methods(value: readonly string[] | undefined): readonly string[] | undefined {
  if (value === undefined) return undefined
  const takes = 'a list of methods, such as GET and POST, without CONNECT'
  const list: readonly unknown[] = Array.isArray(value) ? value : []
  if (list.length === 0) throw new OptionError('httpMethods', value, takes)
  for (const [index, method] of list.entries()) {
    if (typeof method !== 'string' || !/^[A-Z-]+$/.test(method) || method === 'CONNECT')
      throw new OptionError(`httpMethods[${index}]`, method, 'a method in upper case, except CONNECT')
  }
  return value
}

function record<T extends object>(path: string, value: T | undefined): T | undefined {
  if (value !== undefined && (typeof value !== 'object' || value === null || Array.isArray(value)))
    throw new OptionError(path, value, 'an object')
  return value
}

function schemaOf(value: FastifySchema | undefined): FastifySchema | undefined {
  const schema = record('schema', value)
  if (schema?.body !== undefined)
    throw new OptionError(
      'schema.body',
      schema.body,
      '',
      'cannot be checked: bodies are forwarded, not parsed',
    )
  return schema
}

function hooks<T>(path: string, value: T | readonly T[] | undefined): readonly T[] {
  if (value === undefined) return []
  const list = (Array.isArray(value) ? value : [value]) as readonly T[]
  for (const hook of list) {
    if (typeof hook !== 'function') throw new OptionError(path, hook, 'a hook or a list of hooks')
  }
  return list
}

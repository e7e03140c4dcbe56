import { OptionError } from '@limpet/core'
import { optionBoolean } from '@limpet/core/options'
import type { HttpProxyOptions } from '@limpet/http-proxy'
import {
  type ParsedRouteOptions,
  parseRouteOptions,
  ROUTE_OPTION_KEYS,
  type RouteOptions,
} from './route-options.ts'
import { parseRewriting, REWRITE_OPTION_KEYS, type RewriteOptions, type Rewriting } from './rewriting.ts'
import { type ParsedHttpProxyOptions, parseHttpProxyOptions } from '@limpet/http-proxy/transport'

/**
 * The options of `register`: an existing affinity, or the options to make one; the options of connections to backends;
 * and where the routes are. `bodyLimit` is the app's own where it is absent.
 */
export type LimpetOptions = HttpProxyOptions &
  RouteOptions &
  RewriteOptions & {
    /** Mounts the routes under this path. Backends see the whole path, unless `rewritePrefix` is set. @default '/' */
    readonly prefix?: string
    /** False: no routes; a handler of the application forwards with `reply.limpet()`. @default true */
    readonly routes?: boolean
  }

/** The same, complete and checked. */
export interface Limpet extends ParsedHttpProxyOptions {
  readonly prefix: string
  readonly rewriting: Rewriting
  /** Undefined: there are none. */
  readonly routes: ParsedRouteOptions | undefined
}

/** The last two are Fastify's own, which it gives to every plugin. */
const KEYS = [
  'prefix',
  'routes',
  ...ROUTE_OPTION_KEYS,
  ...REWRITE_OPTION_KEYS,
  'logLevel',
  'logSerializers',
] as const

/** @throws OptionError naming the option, the value and the accepted values. */
export function parseLimpetOptions(options: LimpetOptions): Limpet {
  const parsed = parseHttpProxyOptions(options, KEYS)
  const { prefix = '' } = options
  if (typeof prefix !== 'string' || (prefix !== '' && !prefix.startsWith('/'))) {
    throw new OptionError('prefix', prefix, 'a path that begins with /')
  }
  const hasRoutes = optionBoolean('routes', options.routes, true)
  const routes = parseRouteOptions(options, hasRoutes)
  const rewriting = parseRewriting(options)
  if (!hasRoutes && rewriting.rewritePrefix !== undefined)
    throw new OptionError(
      'rewritePrefix',
      options.rewritePrefix,
      '',
      'has no effect with routes: false, which has no prefix',
    )
  return { ...parsed, prefix, rewriting, routes: hasRoutes ? routes : undefined }
}

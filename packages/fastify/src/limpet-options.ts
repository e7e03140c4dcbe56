import { OptionError } from '@limpet/core'
import { asGiven, boolean, type OptionsOf, optionTable, parsed } from '@limpet/core/options'
import type { HttpProxyOptions } from '@limpet/http-proxy'
import { type ParsedHttpProxyOptions, parseHttpProxyOptions } from '@limpet/http-proxy/transport'
import {
  type ParsedRouteOptions,
  FASTIFY_ROUTE_OPTIONS,
  type RouteOptions,
  routeProblems,
} from './route-options.ts'
import { REWRITE_OPTIONS, type RewriteOptions, type Rewriting } from './rewriting.ts'

/** The place of a pool in the application. */
const MOUNT_OPTIONS = optionTable({
  /** Mounts the routes under this path. Backends see the whole path, unless `rewritePrefix` is set. @default '/' */
  prefix: parsed<string, string>('a path that begins with /', parsePrefix),
  /** False: no routes; a handler of the application forwards with `reply.limpet()`. @default true */
  routes: boolean({ default: true }),
})

interface MountOptions extends OptionsOf<typeof MOUNT_OPTIONS> {}

/** All options of the adapter beside those of `HttpProxyOptions`. */
const LIMPET_OPTIONS = optionTable(
  {
    ...MOUNT_OPTIONS.options,
    ...FASTIFY_ROUTE_OPTIONS.options,
    ...REWRITE_OPTIONS.options,
    /** Fastify's own, which it gives to every plugin. */
    logLevel: asGiven<unknown>('a log level'),
    /** Fastify's own, which it gives to every plugin. */
    logSerializers: asGiven<unknown>('an object of serializers'),
  },
  function* between(own, at, given) {
    yield* routeProblems(given as RouteOptions, own)
    if (!own.routes && own.rewritePrefix !== undefined)
      yield new OptionError(
        at('rewritePrefix'),
        own.rewritePrefix,
        '',
        'has no effect with routes: false, which has no prefix',
      )
  },
)

/**
 * The options of `register`: an existing affinity, or the options to make one; the options of connections to backends;
 * and where the routes are. `bodyLimit` is the app's own where it is absent.
 */
export type LimpetOptions = HttpProxyOptions &
  RouteOptions &
  RewriteOptions &
  // Fastify takes no undefined prefix.
  MountOptions & { readonly prefix?: string }

/** The same, complete and checked. */
export interface Limpet extends ParsedHttpProxyOptions {
  readonly prefix: string
  readonly rewriting: Rewriting
  /** Undefined: there are none. */
  readonly routes: ParsedRouteOptions | undefined
}

/** @throws OptionError with every problem */
export function parseLimpetOptions(options: LimpetOptions): Limpet {
  const { own, ...shared } = parseHttpProxyOptions(options, LIMPET_OPTIONS)
  return { ...shared, prefix: own.prefix, rewriting: own, routes: own.routes ? own : undefined }
}

function parsePrefix(path: string, value: unknown = ''): string {
  if (typeof value === 'string' && (value === '' || value.startsWith('/'))) return value
  throw new OptionError(path, value, 'a path that begins with /')
}

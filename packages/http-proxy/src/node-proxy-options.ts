import type { IncomingMessage, ServerResponse } from 'node:http'
import { type HeaderFields, OptionError } from '@limpet/core'
import type { HeaderEdits, ResponseEdits } from '@limpet/core/adapter'
import {
  boolean,
  callback,
  RESPONSE_EDITS,
  type OptionsOf,
  optionTable,
  parsed,
  type ParsedOptions,
  parseHeaderSet,
  type Retyped,
  word,
} from '@limpet/core/options'
import {
  type HttpProxyOptions,
  type ParsedHttpProxyOptions,
  parseHttpProxyOptions,
} from './http-proxy-options.ts'
import { cookieRewrite, type RewriteCookies } from './rewriting/cookie-rewrite.ts'
import { HOST, locationRewrite, type RewriteLocation } from './rewriting/location-rewrite.ts'
import { PATH_REWRITE, type PathRewrite, type RewritePath } from './rewriting/path-rewrite.ts'
import { type ParsedProxyEvents, PROXY_EVENTS, type ProxyEvents } from './rewriting/proxy-events.ts'
import type { ContextFilter } from './request-filter.ts'

/**
 * Options of adapters that forward with http-proxy-middleware, and none of Fastify's, which has its own. The names are
 * those of http-proxy-middleware, or of the adapter for Fastify.
 */
export const NODE_PROXY_OPTIONS = optionTable(
  {
    /** Whether a request is the pool's, its `url` whole wherever limpet is mounted; other requests go on to the next handler. @default all are */
    filter: callback<ContextFilter>({ takes: 'a function of the request' }),
    /**
     * Rewrites the path for the backend, as http-proxy-middleware's option does: the first rule whose regular expression
     * matches, or a function of the path and the request. Affinity reads the path before. @default absent: the path of the request
     */
    pathRewrite: PATH_REWRITE,
    /** Header fields to set in every request, as `requestHeaders.set` does. @default absent: none are */
    headers: parsed<Readonly<Record<string, string>>, HeaderEdits['set']>(
      'an object of header fields by name',
      parseHeaderSet,
    ),
    /**
     * Returns the header fields for the backend, given those of the request, before `requestHeaders`. Affinity reads
     * them. Errors that it throws are the application's. @default absent: none
     */
    rewriteRequestHeaders: callback<(request: IncomingMessage, headers: HeaderFields) => HeaderFields>(),
    /** Returns the header fields for the client, given the backend's with limpet's cookie. @default absent: none */
    rewriteHeaders: callback<(headers: HeaderFields, request: IncomingMessage) => HeaderFields>(),
    /** Fields to set and to remove in every response of a backend, after `rewriteHeaders`. @default absent: none are */
    responseHeaders: RESPONSE_EDITS,
    /** New `Domain` for the backends' cookies: for all, or by the domain before, `*` being any other. @default absent: as it is */
    cookieDomainRewrite: cookieRewrite('domain'),
    /** New `Path` for the backends' cookies: for all, or by the path before, `*` being any other. @default absent: as it is */
    cookiePathRewrite: cookieRewrite('path'),
    /** Host, with its port, for redirects to the backend itself. @default absent: `Location` passes as it is */
    hostRewrite: HOST,
    /** Whether redirects to the backend itself get the host that the client asked. @default false */
    autoRewrite: boolean({ default: false }),
    /** Protocol, `http` or `https`, for redirects to the backend itself. @default absent: `Location` passes as it is */
    protocolRewrite: word<string>(['http', 'https'], { takes: 'http or https' }),
    /** Listeners for messages on their way: `proxyReq`, `proxyReqWs`, `proxyRes`, `error`, `open` and `close`. @default absent: none */
    on: PROXY_EVENTS,
    /** Whether `on.proxyRes` sends the response itself. @default false */
    selfHandleResponse: boolean({ default: false }),
  },
  function* between({ selfHandleResponse, on }, at) {
    if (selfHandleResponse && on?.proxyRes === undefined)
      yield new OptionError(at('selfHandleResponse'), true, '', 'needs on.proxyRes, which sends the response')
  },
)

/** Options of functions that get the framework's requests and responses. `Context` is the framework's own object for a request. */
interface OfFramework<Request extends IncomingMessage, Response extends ServerResponse, Context> {
  readonly filter: (request: Request, context?: Context) => boolean
  readonly pathRewrite: PathRewrite<Request>
  readonly rewriteRequestHeaders: (request: Request, headers: HeaderFields) => HeaderFields
  readonly rewriteHeaders: (headers: HeaderFields, request: Request) => HeaderFields
  readonly on: ProxyEvents<Request, Response>
}

/**
 * Options of adapters that forward with http-proxy-middleware. `Request` and `Response` are the framework's, as
 * functions among the options see them.
 */
export type NodeProxyOptions<
  Request extends IncomingMessage = IncomingMessage,
  Response extends ServerResponse = ServerResponse,
  Context = unknown,
> = Retyped<OptionsOf<typeof NODE_PROXY_OPTIONS>, OfFramework<Request, Response, Context>>

type Parsed = ParsedOptions<typeof NODE_PROXY_OPTIONS.options>

/** The edits of messages among the options, complete and checked. */
export interface Rewriting {
  readonly rewritePath?: RewritePath | undefined
  readonly rewriteRequestHeaders?: Parsed['rewriteRequestHeaders']
  readonly rewriteHeaders?: Parsed['rewriteHeaders']
  readonly responseHeaders?: ResponseEdits | undefined
  readonly rewriteCookies?: readonly RewriteCookies[]
  readonly rewriteLocation?: RewriteLocation | undefined
  readonly on?: ParsedProxyEvents | undefined
  readonly selfHandleResponse?: boolean
}

/** All options of such an adapter, complete and checked. */
export interface ParsedNodeProxyOptions extends ParsedHttpProxyOptions {
  readonly rewriting: Rewriting
  readonly filter: ContextFilter | undefined
}

/** @throws OptionError with every problem */
export function parseNodeProxyOptions(
  options: HttpProxyOptions & NodeProxyOptions<never, never, never>,
): ParsedNodeProxyOptions {
  const { own, requestHeaders, ...shared } = parseHttpProxyOptions(options, NODE_PROXY_OPTIONS)
  return {
    ...shared,
    requestHeaders: withHeaders(requestHeaders, own.headers),
    rewriting: {
      rewritePath: own.pathRewrite,
      rewriteRequestHeaders: own.rewriteRequestHeaders,
      rewriteHeaders: own.rewriteHeaders,
      responseHeaders: own.responseHeaders,
      rewriteCookies: [own.cookieDomainRewrite, own.cookiePathRewrite].filter(
        rewrite => rewrite !== undefined,
      ),
      rewriteLocation: locationRewrite(own),
      on: own.on,
      selfHandleResponse: own.selfHandleResponse,
    },
    filter: own.filter,
  }
}

/** `requestHeaders` counts more than `headers`. */
function withHeaders(edits: HeaderEdits | undefined, headers: HeaderEdits['set']): HeaderEdits | undefined {
  if (headers.size === 0) return edits
  return { set: new Map([...headers, ...(edits?.set ?? [])]), remove: edits?.remove ?? new Set() }
}

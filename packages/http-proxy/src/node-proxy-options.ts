import type { IncomingMessage, ServerResponse } from 'node:http'
import { type HeaderEditOptions, type HeaderFields, OptionError } from '@limpet/core'
import { type HeaderEdits, parseHeaderEdits } from '@limpet/core/adapter'
import { attempt, optionBoolean, parseHeaderSet, throwAll } from '@limpet/core/options'
import { type CookieRewrite, parseCookieRewrite, type RewriteCookies } from './rewriting/cookie-rewrite.ts'
import {
  type LocationRewriteOptions,
  parseLocationRewrite,
  type RewriteLocation,
} from './rewriting/location-rewrite.ts'
import { parsePathRewrite, type PathRewrite, type RewritePath } from './rewriting/path-rewrite.ts'
import { parseProxyEvents, type ProxyEvents } from './rewriting/proxy-events.ts'

/**
 * Options of adapters that forward with http-proxy-middleware, and none of Fastify's, which has its own. The names are
 * those of http-proxy-middleware, or of the adapter for Fastify.
 */
export interface NodeProxyOptions<
  Request extends IncomingMessage = IncomingMessage,
  Response extends ServerResponse = ServerResponse,
> extends LocationRewriteOptions {
  /**
   * Rewrites the path for the backend, as http-proxy-middleware's option does: the first rule whose regular expression
   * matches, or a function of the path and the request. Affinity reads the path before. @default absent: the path of the request
   */
  readonly pathRewrite?: PathRewrite<Request> | undefined
  /** Header fields to set in every request, as `requestHeaders.set` does. @default absent: none are */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /**
   * Returns the header fields for the backend, given those of the request, before `requestHeaders`. Affinity reads
   * them. Errors that it throws are the application's. @default absent: none
   */
  readonly rewriteRequestHeaders?: ((request: Request, headers: HeaderFields) => HeaderFields) | undefined
  /** Returns the header fields for the client, given the backend's with limpet's cookie. @default absent: none */
  readonly rewriteHeaders?: ((headers: HeaderFields, request: Request) => HeaderFields) | undefined
  /** Fields to set and to remove in every response of a backend, after `rewriteHeaders`. @default absent: none are */
  readonly responseHeaders?: HeaderEditOptions | undefined
  /** New `Domain` for the backends' cookies: for all, or by the domain before, `*` being any other. @default absent: as it is */
  readonly cookieDomainRewrite?: CookieRewrite | undefined
  /** New `Path` for the backends' cookies: for all, or by the path before, `*` being any other. @default absent: as it is */
  readonly cookiePathRewrite?: CookieRewrite | undefined
  /** Listeners for messages on their way: `proxyReq`, `proxyReqWs`, `proxyRes`, `error`, `open` and `close`. @default absent: none */
  readonly on?: ProxyEvents<Request, Response> | undefined
  /** Whether `on.proxyRes` sends the response itself. @default false */
  readonly selfHandleResponse?: boolean | undefined
}

export const NODE_PROXY_OPTION_KEYS = [
  'pathRewrite',
  'headers',
  'rewriteRequestHeaders',
  'rewriteHeaders',
  'responseHeaders',
  'cookieDomainRewrite',
  'cookiePathRewrite',
  'hostRewrite',
  'autoRewrite',
  'protocolRewrite',
  'on',
  'selfHandleResponse',
] as const satisfies readonly (keyof NodeProxyOptions)[]

/** The same, checked. */
export interface ParsedNodeProxyOptions {
  readonly rewritePath?: RewritePath | undefined
  readonly headers?: HeaderEdits['set'] | undefined
  readonly rewriteRequestHeaders?: NodeProxyOptions['rewriteRequestHeaders']
  readonly rewriteHeaders?: NodeProxyOptions['rewriteHeaders']
  readonly responseHeaders?: HeaderEdits | undefined
  readonly rewriteCookies?: readonly RewriteCookies[]
  readonly rewriteLocation?: RewriteLocation | undefined
  readonly on?: ProxyEvents | undefined
  readonly selfHandleResponse?: boolean
}

/** @throws OptionError with every problem */
export function parseNodeProxyOptions(options: NodeProxyOptions): ParsedNodeProxyOptions {
  const errors: OptionError[] = []
  const { rewriteRequestHeaders, rewriteHeaders, cookieDomainRewrite, cookiePathRewrite } = options
  for (const [key, value] of Object.entries({ rewriteRequestHeaders, rewriteHeaders })) {
    if (value !== undefined && typeof value !== 'function')
      errors.push(new OptionError(key, value, 'a function'))
  }
  const rewriteCookies = [
    attempt(() => parseCookieRewrite('cookieDomainRewrite', 'domain', cookieDomainRewrite), errors),
    attempt(() => parseCookieRewrite('cookiePathRewrite', 'path', cookiePathRewrite), errors),
  ].filter(rewrite => rewrite !== undefined)
  const on = attempt(() => parseProxyEvents(options.on), errors)
  const selfHandleResponse =
    attempt(() => optionBoolean('selfHandleResponse', options.selfHandleResponse, false), errors) ?? false
  if (selfHandleResponse && options.on?.proxyRes === undefined)
    errors.push(
      new OptionError('selfHandleResponse', true, '', 'needs on.proxyRes, which sends the response'),
    )
  const parsed: ParsedNodeProxyOptions = {
    rewritePath: attempt(() => parsePathRewrite('pathRewrite', options.pathRewrite), errors),
    headers: attempt(() => optionalSet(options.headers), errors),
    rewriteRequestHeaders,
    rewriteHeaders,
    responseHeaders: attempt(() => parseHeaderEdits('responseHeaders', options.responseHeaders), errors),
    rewriteCookies,
    rewriteLocation: attempt(() => parseLocationRewrite(options), errors),
    on,
    selfHandleResponse,
  }
  throwAll(errors)
  return parsed
}

function optionalSet(headers: NodeProxyOptions['headers']): HeaderEdits['set'] | undefined {
  return headers === undefined ? undefined : parseHeaderSet('headers', headers)
}

import type { ConnectionOptions } from 'node:tls'
import type { createClient } from '@redis/client'
import { OptionError } from '@limpet/core'
import {
  attempt,
  kind,
  needed,
  type OptionKind,
  type OptionsOf,
  optionTable,
  parsed,
  type ParsedOptions,
  table,
} from '@limpet/core/options'
import { type Endpoint, parseUrl, URL_TAKES } from './endpoint.ts'

type Client = ReturnType<typeof createClient>

const DEFAULT_PORTS = { redis: 6379, sentinel: 26379 }

const SENTINEL_OPTIONS = optionTable({
  /** The name under which the Sentinels know the primary. */
  name: needed(secretText('a text')),
  /** Urls of the Sentinels. Their user and password stand in the url; those beside it are for the primary. */
  nodes: needed(
    kind<readonly string[], readonly Endpoint[]>({
      takes: 'a list of urls',
      read: (path, value, errors) => readUrls(path, value, DEFAULT_PORTS.sentinel, errors),
    }),
  ),
})

export interface SentinelOptions extends OptionsOf<typeof SENTINEL_OPTIONS> {}

const SENTINEL: OptionKind<
  SentinelOptions,
  ParsedOptions<typeof SENTINEL_OPTIONS.options> | undefined,
  false
> = table(SENTINEL_OPTIONS)

/** Where Redis or Valkey is. One of `url`, `sentinel` and `client`. */
export const CONNECTION_OPTIONS = optionTable({
  /**
   * `redis://[user[:password]@]host[:port][/database]`, `rediss://…` for TLS, or `unix:/path/to.sock`.
   * A list is tried in turn: name several nodes of a Cluster.
   */
  url: kind<string | readonly string[], readonly Endpoint[] | undefined>({
    takes: `a url: ${URL_TAKES}`,
    read: (path, value, errors) =>
      value === undefined
        ? undefined
        : readUrls(path, Array.isArray(value) ? value : [value], DEFAULT_PORTS.redis, errors),
  }),
  /** Sentinels, which are asked for the address of the primary. */
  sentinel: SENTINEL,
  /** A client made by `createClient()` of `@redis/client`. Its options are used; the client itself is left alone. */
  client: parsed<Client, Client | undefined>('a client made by createClient() of @redis/client', parseClient),
  /** ACL user. @default that of the url */
  username: secretText('a text'),
  /** Its password, or that of the default user. No message shows it. @default that of the url */
  password: secretText('a text'),
  /** Options of `tls.connect()`, as `ca`, `cert` and `key`. Given with a `redis://` url they are an error. @default {} */
  tls: parsed<ConnectionOptions, ConnectionOptions | undefined>(
    'an object with options of tls.connect(), as ca',
    parseTls,
  ),
})

export interface RedisOptions extends OptionsOf<typeof CONNECTION_OPTIONS> {}

type GivenConnection = ParsedOptions<typeof CONNECTION_OPTIONS.options>

/** The problems between options of a connection that are right by themselves. */
export function* connectionProblems(
  { url, sentinel, client, tls }: GivenConnection,
  at: (key?: keyof GivenConnection) => string,
): Iterable<OptionError> {
  if ([url, sentinel, client].filter(one => one !== undefined).length !== 1)
    yield new OptionError(at(), undefined, '', 'need one of url, sentinel and client')
  const endpoints = url ?? sentinel?.nodes ?? []
  if (tls !== undefined && endpoints.some(({ isTls }) => !isTls))
    yield new OptionError(at('tls'), tls, '', 'is for urls that begin with rediss://')
}

/** The same, complete and checked. */
export interface ParsedRedis {
  readonly endpoints: readonly Endpoint[]
  readonly sentinel: string | undefined
  readonly client: ReturnType<typeof createClient> | undefined
  readonly username: string | undefined
  readonly password: string | undefined
  readonly tls: ConnectionOptions
}

/** Of checked options. */
export function redisOf({
  url,
  sentinel,
  client,
  username,
  password,
  tls = {},
}: GivenConnection): ParsedRedis {
  return {
    endpoints: url ?? sentinel?.nodes ?? [],
    sentinel: sentinel?.name,
    client,
    username,
    password,
    tls,
  }
}

/** All that is wrong with any of them. */
function readUrls(
  path: string,
  value: unknown,
  port: number,
  errors: OptionError[],
): readonly Endpoint[] | undefined {
  if (!Array.isArray(value)) {
    errors.push(new OptionError(path, typeof value, 'a list of urls'))
    return undefined
  }
  const urls: readonly unknown[] = value
  if (urls.length === 0) errors.push(new OptionError(path, urls, `a url: ${URL_TAKES}`))
  return urls.flatMap((one, index) => {
    const at = urls.length > 1 ? `${path}[${index}]` : path
    return attempt(() => parseUrl(at, one, port), errors) ?? []
  })
}

/** A text of which no part is shown: a url with a password may stand here by mistake. */
function secretText(takes: string): OptionKind<string, string | undefined, false> {
  return parsed<string, string | undefined>(takes, (path, value) => {
    if (value === undefined) return undefined
    if (typeof value !== 'string' || value === '') throw new OptionError(path, typeof value, takes)
    return value
  })
}

function parseTls(path: string, value: unknown): ConnectionOptions | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'object' || value === null)
    throw new OptionError(path, typeof value, 'an object with options of tls.connect(), as ca')
  return value
}

function parseClient(path: string, value: unknown): Client | undefined {
  if (value === undefined || isClient(value)) return value
  throw new OptionError(path, typeof value, 'a client made by createClient() of @redis/client')
}

function isClient(value: unknown): value is Client {
  return (
    typeof value === 'object' &&
    value !== null &&
    'duplicate' in value &&
    typeof value.duplicate === 'function' &&
    'options' in value
  )
}

import type { ConnectionOptions } from 'node:tls'
import type { createClient } from '@redis/client'
import { OptionError, optionInteger, optionObject } from '@limpet/core'

/** Where Redis or Valkey is. One of `url`, `sentinel` and `client`. */
export interface RedisOptions {
  /**
   * `redis://[user[:password]@]host[:port][/database]`, `rediss://…` for TLS, or `unix:/path/to.sock`.
   * A list is tried in turn: name several nodes of a Cluster.
   */
  readonly url?: string | readonly string[]
  /** Sentinels, which are asked for the address of the primary. */
  readonly sentinel?: SentinelOptions
  /** A client made by `createClient()` of `@redis/client`. Its options are used; the client itself is left alone. */
  readonly client?: ReturnType<typeof createClient>
  /** ACL user. @default that of the url */
  readonly username?: string
  /** Its password, or that of the default user. @default that of the url */
  readonly password?: string
  /** Options of `tls.connect()`, as `ca`, `cert` and `key`. Given with a `redis://` url they are an error. */
  readonly tls?: ConnectionOptions
}

export interface SentinelOptions {
  /** The name under which the Sentinels know the primary. */
  readonly name: string
  /** Urls of the Sentinels. Their user and password stand in the url; those beside it are for the primary. */
  readonly nodes: readonly string[]
}

export const REDIS_KEYS: readonly string[] = [
  'url',
  'sentinel',
  'client',
  'username',
  'password',
  'tls',
] satisfies (keyof RedisOptions)[]

export interface Address {
  readonly host: string
  readonly port: number
}

/** One server, as a url names it. */
export interface Endpoint {
  /** A host and port, or the path of a socket. */
  readonly at: Address | string
  readonly isTls: boolean
  readonly username: string | undefined
  readonly password: string | undefined
  readonly database: number
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

const TAKES = 'redis://host:port, rediss://host:port or unix:/path/to.sock'
const DEFAULT_PORTS = { redis: 6379, sentinel: 26379 }

/** @throws OptionError naming the option and what it takes, never a password. */
export function parseRedis(given: Readonly<Record<string, unknown>>): ParsedRedis {
  const { url, sentinel, client } = given
  if ([url, sentinel, client].filter(one => one !== undefined).length !== 1)
    throw new OptionError('', undefined, '', 'need one of url, sentinel and client')
  const at = sentinel === undefined ? 'url' : 'sentinel.nodes'
  const from = sentinel === undefined ? undefined : parseSentinel(sentinel)
  const urls = client === undefined ? (from?.nodes ?? (Array.isArray(url) ? url : [url])) : []
  const port = sentinel === undefined ? DEFAULT_PORTS.redis : DEFAULT_PORTS.sentinel
  const endpoints = urls.map((one: unknown, index) =>
    parseUrl(urls.length > 1 ? `${at}[${index}]` : at, one, port),
  )
  if (client === undefined && endpoints.length === 0) throw new OptionError(at, [], `a url: ${TAKES}`)
  if (client !== undefined && !isClient(client))
    throw new OptionError('client', typeof client, 'a client made by createClient() of @redis/client')
  const tls = parseTls(given['tls'], endpoints)
  return {
    endpoints,
    sentinel: from?.name,
    client,
    username: parseText('username', given['username']),
    password: parseText('password', given['password']),
    tls,
  }
}

function parseSentinel(value: unknown): SentinelOptions {
  // A url with a password may stand here by mistake.
  const shown = typeof value === 'object' ? value : typeof value
  const { name, nodes } = optionObject('sentinel', shown, ['name', 'nodes'])
  if (typeof name !== 'string' || name === '') throw new OptionError('sentinel.name', name, 'a text')
  if (!Array.isArray(nodes)) throw new OptionError('sentinel.nodes', typeof nodes, 'a list of urls')
  return { name, nodes }
}

function parseUrl(path: string, value: unknown, defaultPort: number): Endpoint {
  // The value stays out of every message: there may be a password in it.
  const wrong = (takes = TAKES): OptionError => new OptionError(path, '', '', `is no url; it takes ${takes}`)
  if (typeof value !== 'string') throw wrong()
  const none = { username: undefined, password: undefined, database: 0 }
  if (value.startsWith('unix:/')) return { at: value.slice('unix:'.length), isTls: false, ...none }
  if (!URL.canParse(value)) throw wrong()
  const { protocol, hostname, port, username, password, pathname, search, hash } = new URL(value)
  if (!['redis:', 'rediss:'].includes(protocol) || hostname === '' || search !== '' || hash !== '')
    throw wrong()
  const database = pathname.replace(/^\//, '')
  if (!/^\d{0,5}$/.test(database)) throw wrong('the number of a database as its path')
  return {
    at: { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? defaultPort : Number(port) },
    isTls: protocol === 'rediss:',
    username: username === '' ? undefined : decode(username, wrong),
    password: password === '' ? undefined : decode(password, wrong),
    database: optionInteger(path, Number(database), 0, 0, 99_999),
  }
}

function decode(text: string, wrong: (takes: string) => OptionError): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw wrong('a user and password in which % and other special characters are percent-encoded')
  }
}

function parseText(path: string, value: unknown): string | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'string' || value === '') throw new OptionError(path, typeof value, 'a text')
  return value
}

function parseTls(value: unknown, endpoints: readonly Endpoint[]): ConnectionOptions {
  if (value === undefined) return {}
  if (typeof value !== 'object' || value === null)
    throw new OptionError('tls', typeof value, 'an object with options of tls.connect(), as ca')
  if (endpoints.some(({ isTls }) => !isTls))
    throw new OptionError('tls', value, '', 'is for urls that begin with rediss://')
  return value
}

function isClient(value: unknown): value is ReturnType<typeof createClient> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'duplicate' in value &&
    typeof value.duplicate === 'function' &&
    'options' in value
  )
}

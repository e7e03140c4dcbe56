import { OptionError } from '@limpet/core'

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

export const URL_TAKES = 'redis://host:port, rediss://host:port or unix:/path/to.sock'

/** @throws OptionError naming the option and what it takes, never a password */
export function parseUrl(path: string, value: unknown, defaultPort: number): Endpoint {
  // The value stays out of every message: there may be a password in it.
  const wrong = (takes = URL_TAKES): OptionError =>
    new OptionError(path, '', '', `is no url; it takes ${takes}`)
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
    database: Number(database),
  }
}

function decode(text: string, wrong: (takes: string) => OptionError): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw wrong('a user and password in which % and other special characters are percent-encoded')
  }
}

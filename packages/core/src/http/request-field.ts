import { cookieValues } from './cookie-header.ts'
import type { RequestHead } from '../head.ts'
import { OptionError } from '../options/option.ts'
import { pathParameterValues } from './path-parameter.ts'
import { queryValues } from './query.ts'
import { TOKEN } from './token.ts'

/** Where in a request something stands, as `'header:X-Session-ID'`, `'query:room'`, `'cookie:sid'` or `'path-parameter:jsessionid'`. */
export type RequestField = `${FieldKind}:${string}`

export type FieldKind = 'header' | 'query' | 'cookie' | 'path-parameter'

export const FIELD_KINDS: readonly FieldKind[] = ['header', 'query', 'cookie', 'path-parameter']

/** All that stands there, in the order of the request; empty when nothing does, or only nothing. */
export type FieldReader = (request: RequestHead) => readonly string[]

/** @throws OptionError for anything that is not a field. */
export function parseRequestField(path: string, value: unknown, takes = TAKES): FieldReader {
  const text = typeof value === 'string' ? value : ''
  const colon = text.indexOf(':')
  const kind = FIELD_KINDS.find(one => one === text.slice(0, colon))
  if (kind === undefined) throw new OptionError(path, value, takes)
  return fieldReader(path, kind, text.slice(colon + 1))
}

const TAKES = '"header:NAME", "query:NAME", "cookie:NAME" or "path-parameter:NAME"'

/** @throws OptionError for a name that such a field cannot have. */
export function fieldReader(path: string, kind: FieldKind, name: unknown): FieldReader {
  if (typeof name !== 'string' || name === '' || (kind !== 'query' && !TOKEN.test(name))) {
    throw new OptionError(
      path,
      name,
      kind === 'query' ? 'a name' : `the name of a ${kind}, a token (RFC 9110 §5.6.2)`,
    )
  }
  return READERS[kind](name)
}

const READERS: Readonly<Record<FieldKind, (name: string) => FieldReader>> = {
  header: name => {
    const lower = name.toLowerCase()
    return ({ headers }) => (Object.hasOwn(headers, lower) ? present([headers[lower] ?? ''].flat()) : NOTHING)
  },
  query: name => {
    return ({ url }) => present(queryValues(url, name))
  },
  cookie: name => {
    return ({ headers: { cookie } }) =>
      typeof cookie === 'string' ? present(cookieValues(cookie, name)) : NOTHING
  },
  'path-parameter': name => {
    return ({ url }) => present(pathParameterValues(url, name))
  },
}

const NOTHING: readonly string[] = []

function present(values: readonly string[]): readonly string[] {
  return values.includes('') ? values.filter(value => value !== '') : values
}

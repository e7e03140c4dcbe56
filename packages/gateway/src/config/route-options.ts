import { OptionError } from '@limpet/core'
import { isRecord, list, needed, optionTable, parsed, table, text } from '@limpet/core/options'
import { NAME, NAME_TAKES } from './file-kinds.ts'
import { HOST_TAKES, routeHost } from './route-host.ts'
import { routePath } from './route-path.ts'

const PATH_TAKES = 'a path that begins with /, without ?, #, ;, \\, // and the segments . and ..'

/** The requests that a pool gets. */
const ROUTE_FILE_OPTIONS = optionTable({
  /** Their Host: a name, or `*.test.com` for all names below it. @default any */
  host: parsed<string, string | undefined>(HOST_TAKES, parseHost, { type: 'string', minLength: 1 }),
  /** The begin of their path. `/api/` is all paths below it, `/api` is that path and those below. @default / */
  path: parsed<string, string>(PATH_TAKES, parsePath, { type: 'string', pattern: '^/', default: '/' }),
  /** The name of the pool. */
  pool: needed(text({ pattern: NAME, takes: NAME_TAKES })),
})

export const ROUTES = list(table(ROUTE_FILE_OPTIONS), {
  takes: 'a list of { host, path, pool }, one at least',
  min: 1,
  between: duplicates,
})

function parseHost(path: string, value: unknown): string | undefined {
  if (value === undefined) return undefined
  const host = typeof value === 'string' ? routeHost(value) : undefined
  if (host === undefined) throw new OptionError(path, value, HOST_TAKES)
  return host
}

/** As the paths of requests are compared. */
function parsePath(path: string, value: unknown = '/'): string {
  const begin = beginOf(value)
  if (begin === undefined) throw new OptionError(path, value, PATH_TAKES)
  return begin
}

function beginOf(value: unknown): string | undefined {
  const isPath =
    typeof value === 'string' && value.startsWith('/') && !/[?#;]/.test(value) && value.isWellFormed()
  // Browsers send the bytes of UTF-8 (WHATWG URL).
  return isPath ? routePath(value.replaceAll(/[^\0-\u007F]+/g, encodeURIComponent)) : undefined
}

function* duplicates(path: string, items: readonly unknown[]): Generator<OptionError> {
  const seen = new Set<string>()
  for (const [index, item] of items.entries()) {
    if (!isRecord(item)) continue
    const { host = '', path: given = '/' } = item
    const begin = beginOf(given)
    if (typeof host !== 'string' || begin === undefined) continue
    const key = `${host.toLowerCase()} ${begin}`
    if (seen.has(key))
      yield new OptionError(
        `${path}[${index}]`,
        item,
        '',
        'is there already: no two routes are of one host and path',
      )
    seen.add(key)
  }
}

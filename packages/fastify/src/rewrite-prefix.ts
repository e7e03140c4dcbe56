import { OptionError } from '@limpet/core'
import { RefusedRequestError } from '@limpet/core/adapter'
import { type OptionKind, parsed } from '@limpet/core/options'

/** Makes of a client's request target that of the backend. */
export type RewriteTarget = (url: string) => string

const TAKES = 'a path such as /v1 to put in the place of the prefix, or an empty text to remove the prefix'

/**
 * The path that replaces the prefix, as an option. `/` is the same as no path at all. A path is wrong that would not
 * leave one target, in origin-form, with its query.
 */
export const REWRITE_PREFIX: OptionKind<string, string | undefined, false> = parsed(
  TAKES,
  (path, value): string | undefined => {
    if (value === undefined) return undefined
    if (typeof value !== 'string') throw new OptionError(path, value, TAKES)
    if (value === '' || value === '/') return ''
    const problem = problemOf(value)
    if (problem !== undefined) throw new OptionError(path, value, '', `${problem}; it takes ${TAKES}`)
    return value
  },
)

function problemOf(path: string): string | undefined {
  if (!path.startsWith('/')) return 'does not begin with /'
  if (path.endsWith('/')) return 'ends with /, which the rest of the path begins with'
  if (path.includes('//')) return 'has an empty segment'
  if (/[^\u0021-\u007E]|[?#\\]/.test(path)) return 'has a character that no path may have'
  return path.split('/').some(isDots) ? 'has a segment of dots' : undefined
}

/**
 * Replaces the path under which routes are mounted. The query, and the rest of the path, stay byte for byte.
 * @param prefix the path of the routes; a segment may be a parameter, such as `/:tenant`
 * @param rewritten a checked `rewritePrefix`
 */
export function prefixRewriter(prefix: string, rewritten: string): RewriteTarget {
  const segments = prefix.split('/').filter(segment => segment !== '')
  const mounted = new RegExp(`^${String.raw`/[^/?]*`.repeat(segments.length)}(?=[/?]|$)`)
  return url => {
    const at = mounted.exec(url)?.[0].length
    const rest = at === undefined ? undefined : url.slice(at)
    if (rest === undefined || leaves(rest))
      throw new RefusedRequestError(400, 'target', 'the path leaves the prefix that is rewritten')
    return rest.startsWith('/') || rewritten !== '' ? rewritten + rest : `/${rest}`
  }
}

/** Whether a path would be read as another host's, or as one outside of the prefix. */
function leaves(rest: string): boolean {
  const [path = ''] = rest.split('?', 1)
  if (path.startsWith('//')) return true
  let depth = 0
  for (const segment of path.split('/').slice(1)) {
    if (!isDots(segment)) depth += 1
    else if (dotsOf(segment) === '..' && --depth < 0) return true
  }
  return false
}

function isDots(segment: string): boolean {
  return ['.', '..'].includes(dotsOf(segment))
}

/** Servers decode before they resolve dots. */
function dotsOf(segment: string): string {
  return segment.replaceAll(/%2e/gi, '.')
}

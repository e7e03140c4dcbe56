import type { IncomingMessage } from 'node:http'
import { OptionError } from '@limpet/core'
import { InvalidEditError } from '@limpet/core/adapter'
import { attempt, isRecord, type OptionKind, parsed, throwAll } from '@limpet/core/options'

/**
 * Rewrites the path of a request for its backend: rules, of which the first that matches counts, as a regular
 * expression and its replacement; or a function of the path, its query included, and the request. The query stays
 * unless the function returns one, and `?` alone removes it. `undefined` keeps the path.
 */
export type PathRewrite<Request extends IncomingMessage = IncomingMessage> =
  | Readonly<Record<string, string>>
  | ((path: string, request: Request) => string | undefined)

/** The same, checked. Returns the new request target. */
export type RewritePath = (url: string, request: IncomingMessage) => string

const TAKES = 'an object of replacements by regular expression, or a function'

/** The rewriting of the path, as an option. */
export const PATH_REWRITE: OptionKind<PathRewrite, RewritePath | undefined, false> = parsed(
  TAKES,
  parsePathRewrite,
)

/** @throws OptionError with every problem */
export function parsePathRewrite(path: string, value: unknown): RewritePath | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'function') {
    const rewrite = value as Extract<PathRewrite, (...args: never[]) => unknown>
    return (url, request) => joined(rewrite(url, request) ?? url, url)
  }
  if (!isRecord(value)) throw new OptionError(path, value, TAKES)
  const errors: OptionError[] = []
  const rules = Object.entries(value).flatMap(([source, replacement]): (readonly [RegExp, string])[] => {
    const pattern = attempt(() => ruleOf(path, source), errors)
    if (typeof replacement !== 'string')
      errors.push(new OptionError(`${path}.${source}`, replacement, 'a text'))
    else if (pattern !== undefined) return [[pattern, replacement]]
    return []
  })
  throwAll(errors)
  return url => {
    const target = pathOf(url)
    const rule = rules.find(([pattern]) => pattern.test(target))
    return rule === undefined ? url : joined(target.replace(...rule), url)
  }
}

function ruleOf(path: string, source: string): RegExp {
  try {
    return new RegExp(source)
  } catch {
    throw new OptionError(path, source, 'regular expressions as its keys')
  }
}

function pathOf(url: string): string {
  const at = url.indexOf('?')
  return at < 0 ? url : url.slice(0, at)
}

/**
 * A rewritten path with the query of `before`. It begins with one slash: with two, servers may take what follows for
 * a host (RFC 3986 §4.2). Text that no request target may hold is found by the caller.
 */
function joined(rewritten: unknown, before: string): string {
  if (typeof rewritten !== 'string') {
    // A promise is not waited for, and must not end the process.
    Promise.resolve(rewritten).catch(() => undefined)
    throw new InvalidEditError('url', 'is no string')
  }
  if (rewritten === before) return before
  const slashed = /^\/*(?=[?/]|$)/.test(rewritten) ? rewritten.replace(/^\/*/, '/') : rewritten
  const isRemoved = slashed.endsWith('?') && slashed.indexOf('?') === slashed.length - 1
  if (isRemoved) return slashed.slice(0, -1)
  return slashed.includes('?') ? slashed : `${slashed}${before.slice(pathOf(before).length)}`
}

import { isInCookiePath } from '../http/cookie-path.ts'
import type { RequestHead } from '../head.ts'
import { originForm } from '../http/refusal.ts'
import { OptionError } from '../options/option.ts'
import { list } from '../options/composed-kinds.ts'
import { text } from '../options/plain-kinds.ts'
import { type OptionKind, parseOption } from '../options/option-kind.ts'
import { type OptionsOf, optionTable, type ParsedOptions, table } from '../options/option-table.ts'

/** Requests that have no part in affinity, as `{ method: 'OPTIONS' }` or `{ path: '/assets/' }`; both must hold where both are given. */
const IGNORE_OPTIONS = optionTable(
  {
    /** The method, in capitals. */
    method: text({ pattern: /^[A-Z]{1,20}$/, takes: 'a method in capitals, as "OPTIONS"' }),
    /** This path, and all paths under it. */
    path: text({ pattern: /^\//, takes: 'a path that begins with /' }),
  },
  function* ({ method, path }, at) {
    if (method === undefined && path === undefined)
      yield new OptionError(at(), {}, 'a method, a path, or both')
  },
)

export interface IgnoreOptions extends OptionsOf<typeof IGNORE_OPTIONS> {}

/** The same, checked. */
export type IgnoreRule = ParsedOptions<typeof IGNORE_OPTIONS.options>

/** A list of rules. */
export const IGNORE_RULES: OptionKind<readonly IgnoreOptions[], readonly IgnoreRule[], false> = list(
  table(IGNORE_OPTIONS),
  {
    takes: 'a list of { method }, { path } or both',
    default: [],
  },
)

/**
 * Whether a request is placed without reading its keys, and answered without one (HAProxy `ignore-persist`).
 * @param rules checked
 */
export function ignored(rules: readonly IgnoreRule[]): (request: RequestHead) => boolean {
  return ({ method, url }) =>
    rules.some(
      rule =>
        (rule.method === undefined || rule.method === method) &&
        (rule.path === undefined || isInCookiePath(originForm(url), rule.path)),
    )
}

/** @throws OptionError with every problem */
export function parseIgnore(path: string, value: unknown): (request: RequestHead) => boolean {
  return ignored(parseOption(IGNORE_RULES, path, value))
}

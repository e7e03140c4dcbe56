import { isInCookiePath } from '../http/cookie-path.ts'
import type { RequestHead } from '../head.ts'
import { originForm } from '../http/refusal.ts'
import { OptionError, optionList, optionObject } from '../options/option.ts'

/** Requests that have no part in affinity, as `{ method: 'OPTIONS' }` or `{ path: '/assets/' }`; both must hold where both are given. */
export interface IgnoreOptions {
  /** In capitals. */
  readonly method?: string
  /** This path, and all under it. */
  readonly path?: string
}

const TAKES = 'a list of { method }, { path } or both'

/**
 * Whether a request is placed without a look at its keys, and answered without one (HAProxy `ignore-persist`).
 * @throws OptionError naming the option, what it got and what it takes.
 */
export function parseIgnore(path: string, value: unknown): (request: RequestHead) => boolean {
  const rules = optionList(path, value ?? [], TAKES).map((item, index) =>
    parseRule(`${path}[${index}]`, item),
  )
  return ({ method, url }) =>
    rules.some(
      rule =>
        (rule.method === undefined || rule.method === method) &&
        (rule.path === undefined || isInCookiePath(originForm(url), rule.path)),
    )
}

function parseRule(at: string, item: unknown): IgnoreOptions {
  const { method, path } = optionObject(at, item, ['method', 'path'])
  if (method === undefined && path === undefined) throw new OptionError(at, item, 'a method, a path, or both')
  if (method !== undefined && !(typeof method === 'string' && /^[A-Z]{1,20}$/.test(method))) {
    throw new OptionError(`${at}.method`, method, 'a method in capitals, as "OPTIONS"')
  }
  if (path !== undefined && !(typeof path === 'string' && path.startsWith('/'))) {
    throw new OptionError(`${at}.path`, path, 'a path that begins with /')
  }
  return { ...(method === undefined ? {} : { method }), ...(path === undefined ? {} : { path }) }
}

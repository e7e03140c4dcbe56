import { originForm } from './refusal.ts'

const [SEMICOLON, SLASH, QUESTION, EQUALS] = [59, 47, 63, 61] as const

/**
 * Every value of the parameter called `name` in the segments of a path, in their order, as they stand there:
 * `/cart;jsessionid=abc.web1?x` (RFC 3986 §3.3). Servlet containers write the session id so to a browser without
 * cookies, in small letters whatever the cookie is called, so letter case does not matter. Linear.
 */
export function pathParameterValues(target: string, name: string): readonly string[] {
  if (!target.includes(';')) return NO_VALUES
  const path = originForm(target)
  const lower = name.toLowerCase()
  const values: string[] = []
  /** Where the parameter begins that is being read, behind its semicolon, and where its `=` stands; -1: nowhere. */
  let start = -1
  let equals = -1
  for (let at = 0; at <= path.length; at += 1) {
    const code = at < path.length ? path.charCodeAt(at) : QUESTION
    if (code === EQUALS && start >= 0 && equals < 0) equals = at
    if (code !== SEMICOLON && code !== SLASH && code !== QUESTION) continue
    if (equals >= 0 && equals - start === lower.length && path.slice(start, equals).toLowerCase() === lower)
      values.push(path.slice(equals + 1, at))
    if (code === QUESTION) break
    start = code === SEMICOLON ? at + 1 : -1
    equals = -1
  }
  return values
}

const NO_VALUES: readonly string[] = []

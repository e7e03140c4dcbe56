import { type HeaderFields, OptionError } from '@limpet/core'
import { isRecord } from '@limpet/core/options'

/**
 * A new value for an attribute of the backends' cookies: for all, or by the value before, where `*` stands for any
 * other. An empty text removes the attribute; `false` changes nothing.
 */
export type CookieRewrite = false | string | Readonly<Record<string, string>>

/** The new value for a value; undefined keeps it. */
type Replacement = (value: string) => string | undefined

/** Rewrites the lines of `Set-Cookie` in `fields`, in place. */
export type RewriteCookies = (fields: HeaderFields) => void

/** @throws OptionError for a value that is no rewriting, or that no cookie may hold */
export function parseCookieRewrite(
  option: string,
  attribute: 'domain' | 'path',
  value: CookieRewrite | undefined,
): RewriteCookies | undefined {
  const replacement = replacementOf(option, value)
  if (replacement === undefined) return undefined
  const pattern = new RegExp(String.raw`(;\s*${attribute}=)([^;]+)`, 'i')
  const rewrite = (line: string): string =>
    line.replace(pattern, (whole: string, before: string, old: string) => {
      const next = replacement(old.trim())
      if (next === undefined) return whole
      return next === '' ? '' : `${before}${next}`
    })
  return fields => {
    const lines = fields['set-cookie']
    if (lines !== undefined) fields['set-cookie'] = Array.isArray(lines) ? lines.map(rewrite) : rewrite(lines)
  }
}

function replacementOf(option: string, value: unknown): Replacement | undefined {
  if (value === undefined || value === false) return undefined
  if (typeof value === 'string') {
    const all = checked(option, value)
    return () => all
  }
  if (!isRecord(value)) throw new OptionError(option, value, 'a text, an object of texts, or false')
  const known = new Map(Object.entries(value).map(([old, next]) => [old, checked(`${option}.${old}`, next)]))
  return old => known.get(old) ?? known.get('*')
}

/** A text that ends neither the attribute nor the line (RFC 6265 §4.1.1). */
function checked(option: string, value: unknown): string {
  if (typeof value !== 'string' || !/^[\x20-\x3A\x3C-\x7E]*$/.test(value))
    throw new OptionError(option, value, 'a text without semicolons and control characters')
  return value
}

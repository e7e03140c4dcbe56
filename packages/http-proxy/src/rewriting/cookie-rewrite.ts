import { type HeaderFields, OptionError } from '@limpet/core'
import { compiled, either, kind, type OptionKind, record, text } from '@limpet/core/options'

/**
 * A new value for an attribute of the backends' cookies: for all, or by the value before, where `*` stands for any
 * other. An empty text removes the attribute; `false` changes nothing.
 */
export type CookieRewrite = false | string | Readonly<Record<string, string>>

/** The new value for a value; undefined keeps it. */
type Replacement = (value: string) => string | undefined

/** Rewrites the lines of `Set-Cookie` in `fields`, in place. */
export type RewriteCookies = (fields: HeaderFields) => void

/** A text that ends neither the attribute nor the line (RFC 6265 §4.1.1). */
const VALUE = text({
  pattern: /^[\x20-\x3A\x3C-\x7E]*$/,
  takes: 'a text without semicolons and control characters',
})

const FOR_ALL = kind<string | false, string | false | undefined>({
  takes: 'a text, an object of texts, or false',
  read: (path, value, errors) => {
    if (value === undefined || value === false) return value
    if (typeof value === 'string') return VALUE.read(path, value, errors)
    errors.push(new OptionError(path, value, FOR_ALL.takes))
    return undefined
  },
})

/** By the value before. Domains and paths are no secrets, so errors name them. */
const BY_VALUE = record(VALUE, { pattern: /^[^]*$/ })

/** The rewriting of one attribute, as an option. */
export function cookieRewrite(
  attribute: 'domain' | 'path',
): OptionKind<CookieRewrite, RewriteCookies | undefined, false> {
  const pattern = new RegExp(String.raw`(;\s*${attribute}=)([^;]+)`, 'i')
  return compiled(either({ plain: FOR_ALL, object: BY_VALUE }), given =>
    given === false ? undefined : linesRewriter(pattern, replacementOf(given)),
  )
}

function linesRewriter(pattern: RegExp, replacement: Replacement): RewriteCookies {
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

function replacementOf(given: string | Readonly<Record<string, string | undefined>>): Replacement {
  if (typeof given === 'string') return () => given
  const known = new Map(Object.entries(given))
  return old => known.get(old) ?? known.get('*')
}

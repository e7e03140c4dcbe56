import type { HeaderFields, RawHeaders } from './heads.ts'
import { LISTS, SINGLE_VALUE_FIELDS } from './single-value.ts'

/** The lines of one name. */
export interface WireField {
  /** The name as its first line spells it. */
  readonly name: string
  readonly values: string[]
}

/** Header lines by lower-case name, in the order of the first line of each. */
export function wireFields(lines: RawHeaders): Map<string, WireField> {
  const fields = new Map<string, WireField>()
  for (let index = 0; index + 1 < lines.length; index += 2) {
    const name = lines[index] ?? ''
    const value = lines[index + 1] ?? ''
    const lower = name.toLowerCase()
    const field = fields.get(lower)
    if (field === undefined) fields.set(lower, { name, values: [value] })
    else field.values.push(value)
  }
  return fields
}

/** The value that Node has in `headers` for a field with these lines. */
export function fieldValue(lower: string, values: readonly string[], isHttp2: boolean): string | string[] {
  const [first = ''] = values
  if (lower === 'set-cookie') return [...values]
  if (values.length === 1 || isFirstOnly(lower, isHttp2)) return first
  return values.join(lower === 'cookie' ? '; ' : ', ')
}

/** The header fields that Node's HTTP/1.1 parser makes of these lines. */
export function parsedFields(lines: RawHeaders): HeaderFields {
  const fields: HeaderFields = {}
  for (const [lower, { values }] of wireFields(lines)) fields[lower] = fieldValue(lower, values, false)
  return fields
}

/** Whether `value` equals what Node parses from these lines: then the application has not changed it. */
export function isAsRead(
  lower: string,
  values: readonly string[],
  value: HeaderFields[string],
  isHttp2: boolean,
): boolean {
  if (value === values[0] && lower !== 'set-cookie') return values.length === 1 || isFirstOnly(lower, isHttp2)
  if (typeof value === 'string') {
    // A server with `joinDuplicateHeaders` joins all but the cookies by a comma.
    return values.length > 1 && value === values.join(lower === 'cookie' ? '; ' : ', ')
  }
  return (
    lower === 'set-cookie' &&
    Array.isArray(value) &&
    value.length === values.length &&
    value.every((line, index) => line === values[index])
  )
}

/**
 * Whether Node has read the first of several lines alone. Lists keep all of their lines, and a repeated length or host
 * is refused later.
 */
export function isCutToFirst(lower: string, values: readonly string[], value: HeaderFields[string]): boolean {
  return (
    values.length > 1 &&
    value === values[0] &&
    !LISTS.has(lower) &&
    lower !== 'host' &&
    lower !== 'content-length'
  )
}

function isFirstOnly(lower: string, isHttp2: boolean): boolean {
  return (isHttp2 ? FIRST_ONLY_HTTP2 : FIRST_ONLY).has(lower)
}

/** Fields of which Node keeps the first line and ignores the others (`http.IncomingMessage`, `message.headers`). */
export const FIRST_ONLY: ReadonlySet<string> = new Set([
  'age',
  'authorization',
  'content-length',
  'content-type',
  'etag',
  'expires',
  'from',
  'host',
  'if-modified-since',
  'if-unmodified-since',
  'last-modified',
  'location',
  'max-forwards',
  'proxy-authorization',
  'referer',
  'retry-after',
  'server',
  'user-agent',
])

/** The same for HTTP/2, where the list is a longer one. */
const FIRST_ONLY_HTTP2: ReadonlySet<string> = new Set([
  ':authority',
  ':method',
  ':path',
  ':protocol',
  ':scheme',
  ...SINGLE_VALUE_FIELDS,
])

/*
 * The client's Cookie header (RFC 6265 §4.2.1, §5.4), read and cut by hand: a general parser decodes,
 * re-orders and re-spaces pairs that belong to the application. Linear, and it never throws.
 *
 *   cookie-header = pair *( ";" pair )      pair = BWS name BWS [ "=" BWS value ] BWS
 *
 * A comma does not separate, and quotes do not protect a semicolon: browsers know neither.
 */

const SEMICOLON = 59
const EQUALS = 61
const SPACE = 32
const TAB = 9
const QUOTE = 34
const DOLLAR = 36

/** Every value of the cookie called `name`, in the order of the header, without blanks and quotes round it. */
export function cookieValues(header: string, name: string): readonly string[] {
  const values: string[] = []
  // Most clients send no such cookie: one native search tells.
  let at = header.indexOf(name)
  while (at >= 0) {
    const equals = pairEquals(header, at, name)
    if (equals < 0) {
      at = header.indexOf(name, at + 1)
    } else {
      const end = pairEnd(header, equals)
      values.push(trimmedValue(header, equals + 1, end))
      at = header.indexOf(name, end)
    }
  }
  return values
}

/**
 * The header with every value of the cookie called `name` as `map` says, every other byte kept.
 * @param map gets the value without the blanks round it, but with its quotes
 */
export function withCookieValues(header: string, name: string, map: (value: string) => string): string {
  let mapped = ''
  let from = 0
  let at = header.indexOf(name)
  while (at >= 0) {
    const equals = pairEquals(header, at, name)
    let next = at + 1
    if (equals >= 0) {
      next = pairEnd(header, equals)
      const start = blanksEnd(header, equals + 1, next)
      const end = blanksStart(header, start, next)
      mapped += header.slice(from, start) + map(header.slice(start, end))
      from = end
    }
    at = header.indexOf(name, next)
  }
  return from === 0 ? header : mapped + header.slice(from)
}

/**
 * The header without the pairs called `name`, every other byte kept; `''` when nothing is left.
 * With a pair goes the separator that ties it to the text before it (or after, when it is the first), and the
 * attributes that follow it: `$Path`, `$Domain` and `$Port` (RFC 2965). Any other `$name` is a cookie.
 */
export function withoutCookie(header: string, name: string): string {
  let kept = ''
  let from = 0
  let isFirstGone = false
  let at = header.indexOf(name)
  while (at >= 0) {
    const equals = pairEquals(header, at, name)
    if (equals < 0) {
      at = header.indexOf(name, at + 1)
    } else {
      const start = header.lastIndexOf(';', at)
      if (start < 0) isFirstGone = true
      else kept += header.slice(from, start)
      from = attributesEnd(header, pairEnd(header, equals))
      at = header.indexOf(name, from)
    }
  }
  if (from === 0) return header
  const rest = header.slice(from)
  const left = isSeparatorOnly(rest) ? kept : kept + rest
  if (isSeparatorOnly(left)) return ''
  return isFirstGone ? left.slice(skipSeparator(left)) : left
}

/** The position of the `=` of a pair called `name`, or -1 when the pair at `at` has another name. */
function pairEquals(header: string, at: number, name: string): number {
  let before = at - 1
  while (before >= 0 && isBlank(header.charCodeAt(before))) before -= 1
  if (before >= 0 && header.charCodeAt(before) !== SEMICOLON) return -1
  let after = at + name.length
  while (after < header.length && isBlank(header.charCodeAt(after))) after += 1
  return header.charCodeAt(after) === EQUALS ? after : -1
}

function pairEnd(header: string, from: number): number {
  const semicolon = header.indexOf(';', from)
  return semicolon < 0 ? header.length : semicolon
}

/** The end of the attributes that follow a pair which ends at `end`. */
function attributesEnd(header: string, end: number): number {
  let last = end
  while (last < header.length && isAttribute(header, skipSeparator(header, last))) {
    last = pairEnd(header, last + 1)
  }
  return last
}

const ATTRIBUTE = /\$(?:path|domain|port)[ \t]*(?:[=;]|$)/iy

function isAttribute(header: string, at: number): boolean {
  if (header.charCodeAt(at) !== DOLLAR) return false
  ATTRIBUTE.lastIndex = at
  return ATTRIBUTE.test(header)
}

function trimmedValue(header: string, from: number, to: number): string {
  let start = blanksEnd(header, from, to)
  let end = blanksStart(header, start, to)
  // Some clients add quotes to a value that was set without them.
  if (end - start >= 2 && header.charCodeAt(start) === QUOTE && header.charCodeAt(end - 1) === QUOTE) {
    start += 1
    end -= 1
  }
  return header.slice(start, end)
}

/** Where the blanks that begin at `from` end. */
export function blanksEnd(header: string, from: number, to: number): number {
  let at = from
  while (at < to && isBlank(header.charCodeAt(at))) at += 1
  return at
}

/** Where the blanks that end at `to` begin. */
export function blanksStart(header: string, from: number, to: number): number {
  let at = to
  while (at > from && isBlank(header.charCodeAt(at - 1))) at -= 1
  return at
}

function skipSeparator(text: string, from = 0): number {
  const at = text.charCodeAt(from) === SEMICOLON ? from + 1 : from
  return blanksEnd(text, at, text.length)
}

function isSeparatorOnly(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code !== SEMICOLON && !isBlank(code)) return false
  }
  return true
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB
}

/**
 * Writes a form that a parser has read as `application/x-www-form-urlencoded`, flat or nested. The lists of a form
 * may have been written in several ways that parse to the same, and backends take one or another of them: the way
 * that has the length of the original is taken, or else repeated names (WHATWG URL, HTML).
 * @param length of the original in bytes; undefined where it is not known
 * @returns undefined for values that no form holds
 */
export function formText(form: object, length: number | undefined): string | undefined {
  let first: string | undefined
  for (const style of STYLES) {
    const pairs: string[] = []
    if (!addPairs(pairs, '', form, style, 0)) return undefined
    const text = pairs.join('&')
    // Encoded text is ASCII: its characters are its bytes.
    if (length === undefined || text.length === length) return text
    first ??= text
  }
  return first
}

/** How names and lists are written. */
interface Style {
  readonly open: string
  readonly close: string
  /** Behind the name of a list of plain values; undefined: the name is repeated. */
  readonly list: string | undefined
  /** A blank. */
  readonly blank: string
}

const STYLES: readonly Style[] = ['+', '%20'].flatMap(blank => [
  { open: '[', close: ']', list: undefined, blank },
  { open: '[', close: ']', list: '[]', blank },
  { open: '%5B', close: '%5D', list: undefined, blank },
  { open: '%5B', close: '%5D', list: '%5B%5D', blank },
])

const MAX_DEPTH = 64

function addPairs(pairs: string[], name: string, value: unknown, style: Style, depth: number): boolean {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    pairs.push(`${name}=${encoded(String(value), style)}`)
    return true
  }
  // A name without `=`, as some parsers tell it.
  if (value === null || value === undefined) {
    pairs.push(name)
    return true
  }
  if (typeof value !== 'object' || depth > MAX_DEPTH) return false
  if (Array.isArray(value)) return addList(pairs, name, value, style, depth)
  return Object.entries(value).every(([key, part]) => {
    const text = encoded(key, style)
    return addPairs(
      pairs,
      name === '' ? text : `${name}${style.open}${text}${style.close}`,
      part,
      style,
      depth + 1,
    )
  })
}

function addList(
  pairs: string[],
  name: string,
  list: readonly unknown[],
  style: Style,
  depth: number,
): boolean {
  const isPlain = list.every(part => typeof part !== 'object' || part === null)
  // One value without brackets would be read as no list.
  const suffix = isPlain
    ? (style.list ?? (list.length === 1 ? `${style.open}${style.close}` : ''))
    : undefined
  return list.every((part, index) =>
    addPairs(pairs, `${name}${suffix ?? `${style.open}${index}${style.close}`}`, part, style, depth + 1),
  )
}

/** As HTML forms encode it, with the blank of `style`. */
function encoded(text: string, { blank }: Style): string {
  const plus = new URLSearchParams([['', text.toWellFormed()]]).toString().slice(1)
  return blank === '+' ? plus : plus.replaceAll('+', blank)
}

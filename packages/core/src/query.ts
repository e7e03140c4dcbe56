/**
 * Every value of the query parameter called `name` in a request target, in their order, decoded as a form is
 * (WHATWG URL §5.1). What cannot be decoded stays as it is. Linear, and it never throws.
 */
export function queryValues(target: string, name: string): readonly string[] {
  const start = target.indexOf('?')
  if (start < 0) return NO_VALUES
  const values: string[] = []
  for (let from = start + 1; from <= target.length;) {
    const ampersand = target.indexOf('&', from)
    const end = ampersand < 0 ? target.length : ampersand
    // Looked for in the pair alone: where no `=` follows, the rest would be read once for every pair.
    const pair = target.slice(from, end)
    const equals = pair.indexOf('=')
    const nameEnd = equals < 0 ? pair.length : equals
    if (decoded(pair.slice(0, nameEnd)) === name) values.push(decoded(pair.slice(nameEnd + 1)))
    from = end + 1
  }
  return values
}

const NO_VALUES: readonly string[] = []

function decoded(text: string): string {
  if (!/[%+]/.test(text)) return text
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}

/**
 * Every value of the query parameter called `name` in a request target, in their order, decoded as a form is
 * (WHATWG URL §5.1). A text that cannot be decoded stays as it is. Linear, and without exceptions.
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
    if (isNamed(pair, nameEnd, name)) values.push(decoded(pair.slice(nameEnd + 1)))
    from = end + 1
  }
  return values
}

const NO_VALUES: readonly string[] = []

/** Most pairs have another name, and need no decoding to tell: one UTF-16 unit is at most three escapes of three. */
function isNamed(pair: string, nameEnd: number, name: string): boolean {
  if (nameEnd < name.length || nameEnd > name.length * 9) return false
  return decoded(pair.slice(0, nameEnd)) === name
}

/** decodeURIComponent of a form's text. It throws for a malformed escape, and a target may have thousands. */
function decoded(text: string): string {
  if (!/[%+]/.test(text)) return text
  if (/%(?![\dA-Fa-f]{2})/.test(text)) return text
  let isSound = true
  const plain = text.replaceAll('+', ' ').replaceAll(/(?:%[\dA-Fa-f]{2})+/g, escapes => {
    const bytes = Buffer.from(escapes.replaceAll('%', ''), 'hex')
    const characters = bytes.toString()
    // Bytes that are no UTF-8 are replaced, and then do not come out again.
    isSound &&= Buffer.from(characters).equals(bytes)
    return characters
  })
  return isSound ? plain : text
}

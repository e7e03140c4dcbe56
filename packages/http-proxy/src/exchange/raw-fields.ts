import type { HeaderFields } from '@limpet/core'

/** Header lines by name in lower case. Several lines of one name stay several, which Node's own `headers` joins or drops. */
export function rawFields(lines: readonly string[]): HeaderFields {
  const fields: HeaderFields = {}
  for (let index = 0; index + 1 < lines.length; index += 2) {
    const name = (lines[index] ?? '').toLowerCase()
    const value = lines[index + 1] ?? ''
    // `constructor` is a legal name, and every object has one. So is `__proto__`: assigning text to it does nothing.
    const known = fields[name]
    fields[name] = typeof known === 'string' || Array.isArray(known) ? [known, value].flat() : value
  }
  return fields
}

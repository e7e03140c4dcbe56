import type { HeaderFields } from '@limpet/core'

/** Header lines by lower-case name. Several lines of one name stay several, which Node's own `headers` joins or drops. */
export function rawFields(rawHeaders: readonly string[]): HeaderFields {
  const fields: HeaderFields = {}
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase()
    const value = rawHeaders[index + 1] ?? ''
    // A legal name, and assigning to it would set something else.
    if (name === '__proto__') continue
    const known = fields[name]
    fields[name] = known === undefined ? value : [known, value].flat()
  }
  return fields
}

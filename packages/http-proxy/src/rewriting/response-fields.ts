import type { HeaderFields } from '@limpet/core'
import { editedValues, InvalidEditError } from '@limpet/core/adapter'

/** Fields that frame the message are the backend's, whatever the application returns. */
const FRAMING = [
  'content-length',
  'transfer-encoding',
  'connection',
  'trailer',
  'keep-alive',
  'upgrade',
] as const

/**
 * Checks the header fields that an application wants a client to get instead of `fields`. Framing stays that of
 * `fields`. Names of the result are in lower case.
 * @param where the option that they come from, for the error
 * @throws InvalidEditError for a field that cannot be written
 */
export function checkedFields(fields: HeaderFields, returned: unknown, where: string): HeaderFields {
  if (typeof returned !== 'object' || returned === null)
    throw new InvalidEditError(where, 'is no object of header fields')
  const edited: HeaderFields = {}
  // A response writes names in lower case, so a capital must not hide a framing field from what follows.
  for (const [name, value] of Object.entries(returned as HeaderFields)) edited[name.toLowerCase()] = value
  for (const name of FRAMING) {
    if (fields[name] === undefined) delete edited[name]
    else edited[name] = fields[name]
  }
  for (const [name, value] of Object.entries(edited)) {
    if (value === fields[name] && value !== undefined) continue
    const lines = editedValues(name, value, where)
    if (lines.length === 0) delete edited[name]
    else edited[name] = lines.length === 1 ? lines[0] : [...lines]
  }
  return edited
}

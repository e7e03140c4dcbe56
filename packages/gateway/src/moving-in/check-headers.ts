import type { PoolFile } from '../config/pool-file.ts'
import { MAYBE_SECRET, OF_THE_CONNECTION } from './header-edits.ts'

/**
 * Adds a header field to the requests of health checks. A field of the connection is limpet's own, and is passed over.
 * @param hasVariables whether a text has a placeholder, in the other server's words
 * @returns false for a field that cannot be taken: its value may be a secret, has a placeholder or is no plain text
 */
export function addCheckHeader(
  health: NonNullable<PoolFile['health']>,
  name: string,
  value: string,
  hasVariables: (value: string) => boolean,
): boolean {
  const isHost = name.toLowerCase() === 'host'
  if (!isHost && OF_THE_CONNECTION.test(name)) return true
  const isPlain = isHost ? /^[\w.:[\]-]+$/.test(value) : /^[\u0020-\u007E]*$/.test(value)
  if (!/^[\w-]+$/.test(name) || !isPlain || MAYBE_SECRET.test(name) || hasVariables(value)) return false
  health.headers = { ...health.headers, [name]: value }
  return true
}

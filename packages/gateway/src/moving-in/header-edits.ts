import type { PoolFile } from '../config/pool-file.ts'

export type HeaderSide = 'requestHeaders' | 'responseHeaders'

/** limpet writes these by itself, for every request. */
const WRITTEN_ANYWAY =
  /^(?:x-forwarded-(?:for|proto|host|port|server)|x-real-ip|x-scheme|x-original-forwarded-for|forwarded)$/i
/** Fields of the connection, which the gateway alone decides. */
export const OF_THE_CONNECTION =
  /^(?:connection|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade|content-length|host)$/i
/** The value may be a secret, and a limpet file is copied to places where its neighbours are not. */
export const MAYBE_SECRET = /authorization|cookie|token|secret|password|api-?key/i
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
// eslint-disable-next-line no-control-regex
const VALUE = /^[^\u0000-\u0008\u000A-\u001F\u007F]*$/

/** The result of an edit of a field: it is in the file, limpet does it anyway, or the reason why it was not taken. */
export type EditResult = 'taken' | 'anyway' | { readonly why: string }

/**
 * Adds an edit of a header field to a pool.
 * @param value undefined: the field is removed
 * @param hasVariables whether a text has a placeholder, in the other server's words
 */
export function editHeader(
  file: PoolFile,
  side: HeaderSide,
  name: string,
  value: string | undefined,
  hasVariables: (value: string) => boolean,
): EditResult {
  if (!NAME.test(name)) return { why: 'the name of the field is not a token' }
  if (OF_THE_CONNECTION.test(name)) return 'anyway'
  if (side === 'requestHeaders' && WRITTEN_ANYWAY.test(name)) return 'anyway'
  const edits = file[side] ?? {}
  if (value === undefined) {
    const remove = [...new Set([...(edits.remove ?? []), name])]
    file[side] = { ...edits, remove }
    return 'taken'
  }
  if (MAYBE_SECRET.test(name)) return { why: 'the value may be a secret; set it by hand' }
  if (hasVariables(value)) return { why: 'limpet sets constant values only' }
  if (!VALUE.test(value)) return { why: 'the value has control characters' }
  file[side] = { ...edits, set: { ...edits.set, [name]: value } }
  return 'taken'
}

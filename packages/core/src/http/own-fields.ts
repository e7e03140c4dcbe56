/** The request field of a debug token. */
export const DEBUG_FIELD = 'limpet-debug'

/** Request fields that are for limpet alone, in lower case: no line of them reaches a backend. */
export const OWN_FIELDS: ReadonlySet<string> = new Set([DEBUG_FIELD])

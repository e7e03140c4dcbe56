/** The request field of a debug token. */
export const DEBUG_FIELD = 'limpet-debug'

/** The request field of a pin, and the cookie that stands for it in a browser. */
export const PIN_FIELD = 'limpet-pin'

/** Request fields that are for limpet alone, in lower case: no line of them reaches a backend. */
export const OWN_FIELDS: ReadonlySet<string> = new Set([DEBUG_FIELD, PIN_FIELD])

/** A name as header fields and cookies have it (RFC 9110 §5.6.2). */
export const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/

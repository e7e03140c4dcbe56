const BACKSLASH = 92
const HASH = 35

/**
 * Whether `url` may stand in a request line: no blank, control character, backslash or fragment, which servers read
 * differently, and no character that is more than a byte, which Node would cut down to another one.
 */
export function isSendable(url: string): boolean {
  for (let at = 0; at < url.length; at += 1) {
    const code = url.charCodeAt(at)
    if (code <= 32 || code === 127 || code > 255 || code === BACKSLASH || code === HASH) return false
  }
  return url !== ''
}

/** Whether `url` has a character that no parser of HTTP/1 lets pass in a request target: no client has sent it. */
export function isUnparsable(url: string): boolean {
  return UNPARSABLE.test(url)
}

const UNPARSABLE = /[^\u0021-\u007E\u0080-\u00FF]/

/** `target`, which begins with a slash, under `base`: one slash between the two, and the query where it was. */
export function underBase(base: string, target: string): string {
  return base.endsWith('/') ? `${base.slice(0, -1)}${target}` : `${base}${target}`
}

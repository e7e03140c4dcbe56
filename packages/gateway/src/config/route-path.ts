/*
 * The path by which a request is routed. A gateway and a backend that read one target in two ways are a way round a
 * route: `/public/../admin` begins like the one and is the other. So the parts that servers read differently are
 * refused, and the rest is compared as a server reads it: without the parameters of segments (`;jsessionid=…`), with
 * escaped ASCII characters decoded, and all other bytes escaped in capitals (RFC 3986 §3.3, §6.2.2).
 */

/** Most paths have none of it, and are compared as they are. */
const SPECIAL = /[%;\\\u0080-\uFFFF]|\/\/|\/\./

/**
 * The path of a target as routes compare it; undefined for one that servers read in different ways: with a segment
 * `.` or `..`, an empty segment, a backslash, or an escaped slash.
 * @param url in origin-form or absolute-form (RFC 9112 §3.2)
 */
export function routePath(url: string): string | undefined {
  const path = pathOf(url)
  if (!SPECIAL.test(path) || !path.startsWith('/')) return path
  const segments = path.split('/')
  for (let index = 1; index < segments.length; index += 1) {
    const decoded = oneSpelling(segments[index] ?? '')
    // Neither stands in a segment, and a NUL ends a path for some.
    if (decoded.includes('/') || decoded.includes('\\') || decoded.includes('\0')) return undefined
    const semicolon = decoded.indexOf(';')
    const name = semicolon < 0 ? decoded : decoded.slice(0, semicolon)
    if (name === '.' || name === '..' || (name === '' && index < segments.length - 1)) return undefined
    segments[index] = name
  }
  return segments.join('/')
}

function pathOf(url: string): string {
  const origin = /^https?:\/\/[^/?#]*/i.exec(url)
  const target = origin === null ? url : url.slice(origin[0].length)
  const end = target.search(/[?#]/)
  const path = end < 0 ? target : target.slice(0, end)
  return path === '' ? '/' : path
}

/** Node gives the bytes of a target as characters up to U+00FF. No server reads a separator in the bytes above ASCII. */
function oneSpelling(text: string): string {
  return text.replaceAll(
    /%([0-7][\dA-Fa-f])|%[89A-Fa-f][\dA-Fa-f]|[\u0080-\u00FF]/g,
    (found, ascii: string | undefined) => {
      if (ascii !== undefined) return String.fromCharCode(Number.parseInt(ascii, 16))
      if (found.length > 1) return found.toUpperCase()
      return `%${found.charCodeAt(0).toString(16).toUpperCase()}`
    },
  )
}

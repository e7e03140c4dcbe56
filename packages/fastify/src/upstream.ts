import type { Backend } from '@limpet/core'

/** The origin of a backend, for reply-from. A socket in the file system has none. */
export function upstreamOf({ url }: Backend): string {
  return url.protocol === 'unix:' ? 'http://localhost' : url.origin
}

/**
 * The target of a request, for reply-from, which parses it as a URL. A target that reply-from would refuse, or read as
 * another host's, is `/` there; the backend gets its bytes from the dispatcher all the same.
 */
export function sourceOf(target: string): string {
  if (target.startsWith('//') || target.includes('\\')) return '/'
  const decoded = target.includes('%') ? decodedOf(target) : target
  return decoded === undefined || decoded.includes('/..') || decoded.includes('../') ? '/' : target
}

function decodedOf(target: string): string | undefined {
  try {
    return decodeURIComponent(target)
  } catch {
    return undefined
  }
}

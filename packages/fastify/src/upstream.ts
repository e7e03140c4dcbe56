import type { Backend } from '@limpet/core'

/**
 * The URL of a request, for reply-from, which parses it. With an upstream beside it reply-from would parse two. A target
 * that it would refuse, or read as another host's, is `/` there; the backend gets its bytes from the dispatcher all the
 * same.
 */
export function sourceOf(backend: Backend, target: string): string {
  return originOf(backend) + parsable(target)
}

/** A socket in the file system has none. */
function originOf({ url }: Backend): string {
  return url.protocol === 'unix:' ? 'http://localhost' : url.origin
}

function parsable(target: string): string {
  if (!target.startsWith('/') || target.startsWith('//') || target.includes('\\')) return '/'
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

import { InvalidEditError } from '@limpet/core/adapter'
import type { EditLines, RewriteFields } from '../exchange/message-hooks.ts'
import { ApplicationError } from '../failure.ts'
import type { Rewriting } from '../node-proxy-options.ts'
import { BackendRequest } from './backend-request.ts'

/** @param listener of the application, told of each head that is to be written */
export function editor(event: string, listener: (head: BackendRequest) => unknown): EditLines {
  return (lines, request) => {
    try {
      const head = new BackendRequest(request, lines)
      const result = listener(head)
      if (result instanceof Promise) {
        // It is not waited for, and must not end the process.
        result.catch(() => undefined)
        throw new InvalidEditError(`on.${event}`, 'returns a promise, which is not waited for')
      }
      return head.lines()
    } catch (error) {
      throw new ApplicationError(error)
    }
  }
}

/** The rewriting of cookies and redirects in a response's fields. Undefined: they stay as they are. */
export function rewriteFieldsOf({
  rewriteCookies = [],
  rewriteLocation,
}: Rewriting): RewriteFields | undefined {
  if (rewriteCookies.length === 0 && rewriteLocation === undefined) return undefined
  return (fields, statusCode, backend, { headers }) => {
    for (const rewrite of rewriteCookies) rewrite(fields)
    const host = headers['host'] ?? headers[':authority']
    rewriteLocation?.(fields, statusCode, backend, typeof host === 'string' ? host : undefined)
  }
}

import type { IncomingMessage } from 'node:http'
import { PageError } from './page-error.ts'

/**
 * Decides whether a request may see the page and change backends: `true`, `false`, or a text that identifies its
 * operator. Forms are bound to that text; with `true`, to the request's `Authorization`.
 */
export type Authorize = (request: IncomingMessage) => boolean | string | Promise<boolean | string>

/**
 * The credentials of a request.
 * @throws PageError when it may not see the page
 */
export async function admitted(request: IncomingMessage, authorize: Authorize | undefined): Promise<string> {
  if (authorize === undefined) {
    admitLoopback(request)
    return ''
  }
  const answer = await authorize(request)
  if (answer === false) throw new PageError(403, 'You may not see this page.')
  return answer === true ? (request.headers.authorization ?? '') : answer
}

/**
 * Without `authorize` the socket has to come from this machine, and the Host has to name it: a page could point a name of
 * its own here (DNS rebinding). A request that a proxy has forwarded comes from anywhere.
 */
function admitLoopback({ headers, socket: { remoteAddress = '' } }: IncomingMessage): void {
  const isForwarded = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'].some(name => name in headers)
  if (isForwarded || !LOOPBACK.test(remoteAddress) || !LOOPBACK_HOST.test(headers.host ?? ''))
    throw new PageError(
      403,
      'This page is for requests of its own machine. The option authorize allows others.',
    )
}

const LOOPBACK = /^(?:::ffff:)?127\.|^::1$/i
const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i

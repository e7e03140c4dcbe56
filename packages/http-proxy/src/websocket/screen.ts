import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Wraps the listeners that `request` has for a response: they are called only when `passes` returns true.
 * @param passes gets the socket, and the bytes behind the head, only when the response is an upgrade
 */
export function screen(
  request: ClientRequest,
  event: 'response' | 'upgrade',
  passes: (response: IncomingMessage, socket: Socket, head: Buffer) => boolean,
): void {
  const listeners = request.listeners(event)
  request.removeAllListeners(event).once(event, (...args: [IncomingMessage, Socket, Buffer]) => {
    if (passes(...args)) for (const listener of listeners) Reflect.apply(listener, request, args)
  })
}

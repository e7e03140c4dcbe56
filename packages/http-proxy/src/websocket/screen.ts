import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Stands before the listeners that `request` has for an answer: they hear of it only when `passes` says so.
 * @param passes hears of the socket, and of what came behind the head, only when the answer is an upgrade
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

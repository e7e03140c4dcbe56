import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2Stream } from 'node:http2'
import type { Socket } from 'node:net'

/** Callbacks of the responses that wait behind another on a connection, for its end. */
const WAITING = new WeakMap<Socket, Set<() => void>>()

/**
 * Calls `onClose` when the client's side of an exchange has closed, at the end or before; at once, when it has already.
 * The response tells; but Node 22 tells nothing to those that wait behind another on their connection.
 */
export function onceClosed(request: IncomingMessage, response: ServerResponse, onClose: () => void): void {
  if (hasLeft(request, response)) {
    onClose()
    return
  }
  if (!isWaiting(response)) {
    // It fires once, and the wrapper of `once` would be kept as long as the request lasts.
    response.on('close', onClose)
    return
  }
  const waiting = waitingOn(request.socket)
  function close(): void {
    if (waiting.delete(close)) onClose()
  }
  waiting.add(close)
  response.once('close', close)
}

/** Whether the client has left by now. HTTP/2's response has no `destroyed`; its stream has. */
export function hasLeft(
  request: IncomingMessage,
  response: ServerResponse & { readonly stream?: Http2Stream },
): boolean {
  if (response.destroyed || response.stream?.destroyed === true) return true
  // The response of a socket that the application has destroyed is told later; one that waits, perhaps never.
  return response.stream === undefined && request.socket.destroyed
}

function isWaiting({ socket }: ServerResponse): boolean {
  return socket === null
}

/** One listener for them all: there may be many. */
function waitingOn(socket: Socket): Set<() => void> {
  let waiting = WAITING.get(socket)
  if (waiting === undefined) {
    const all = new Set<() => void>()
    socket.once('close', () => {
      for (const close of all) close()
    })
    WAITING.set(socket, all)
    waiting = all
  }
  return waiting
}

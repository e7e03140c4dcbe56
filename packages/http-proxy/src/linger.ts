import type { Duplex } from 'node:stream'

/** How long a peer that has been told the end may take to go as well. */
export const LINGER_MS = 5_000

/**
 * Makes `socket` go soon after our last word on it, whether or not its peer goes. Until then what comes is read and
 * dropped: a connection that is closed over unread bytes is reset, and our last word may be lost with it (RFC 9112 §9.6).
 */
export function lingerAtEnd(socket: Duplex): void {
  socket.once('finish', () => {
    function destroy(): void {
      socket.destroy()
    }
    const timer = setTimeout(destroy, LINGER_MS)
    socket
      .once('close', () => clearTimeout(timer))
      .once('end', destroy)
      .resume()
  })
}

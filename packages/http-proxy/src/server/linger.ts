import type { Duplex } from 'node:stream'

/** Time for a peer to close its side after we have ended ours. */
export const LINGER_MS = 5_000

/** How long a peer may take nothing of our last word. */
const UNREAD_MS = 30_000

/**
 * Says our last word on `socket`, and makes the connection go soon after: whether or not its peer goes, and although
 * the peer may read nothing.
 */
export function endWith(socket: Duplex, lastWord: string): void {
  lingerAtEnd(socket)
  const timer = setTimeout(() => socket.destroy(), UNREAD_MS)
  socket.once('close', () => clearTimeout(timer)).end(lastWord)
}

/** Sockets that linger already: a refused handshake asks for it again with its last word. */
const lingering = new WeakSet<Duplex>()

/**
 * Closes `socket` soon after our last bytes on it, whether or not its peer closes. Until then received bytes are
 * dropped: a connection that is closed over unread bytes is reset, and our last bytes may be lost (RFC 9112 §9.6).
 */
export function lingerAtEnd(socket: Duplex): void {
  if (lingering.has(socket)) return
  lingering.add(socket)
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

import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** A peer that has ended its half has this long to see the other half end. */
const LINGER_MS = 5_000

/**
 * Makes two sockets that are piped into each other end together, whichever goes first: at once when one is
 * destroyed; within a few seconds when one has said its last word; after `idleMs` without a byte.
 */
export function bindTunnel(client: Duplex, backend: Socket, idleMs: number): void {
  let linger: NodeJS.Timeout | undefined
  function startLinger(): void {
    linger ??= setTimeout(() => {
      client.destroy()
      backend.destroy()
    }, LINGER_MS)
  }
  client.once('end', startLinger)
  backend.once('end', startLinger)
  client.once('close', () => {
    clearTimeout(linger)
    endSoon(backend)
  })
  backend.once('close', () => {
    clearTimeout(linger)
    endSoon(client)
  })
  // Whatever passes, passes through both.
  if (idleMs > 0) backend.setTimeout(idleMs, () => backend.destroy())
}

/** What was received is still delivered. */
function endSoon(socket: Duplex & { destroySoon?: () => void }): void {
  if (socket.destroySoon === undefined) socket.destroy()
  else socket.destroySoon()
}

import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { LINGER_MS } from './linger.ts'

/**
 * Pipes two sockets into each other, and makes them end together, whichever goes first: at once, or, while one still
 * has to take what the other has sent, within a few seconds; and after `idleMs` without a byte.
 */
export function openTunnel(client: Duplex, backend: Socket, idleMs: number): void {
  let linger: NodeJS.Timeout | undefined
  function destroy(): void {
    client.destroy()
    backend.destroy()
  }
  function startLinger(): void {
    linger ??= setTimeout(destroy, LINGER_MS)
  }
  function follow(side: Duplex, other: Duplex): void {
    // A peer that has ended its half has this long to see the other half end.
    side.once('end', startLinger).once('close', () => {
      if (other.destroyed) {
        clearTimeout(linger)
      } else {
        startLinger()
        endSoon(other)
      }
    })
  }
  follow(client, backend)
  follow(backend, client)
  backend.pipe(client).pipe(backend)
  // Whatever passes, passes through both.
  if (idleMs > 0) backend.setTimeout(idleMs, destroy)
}

/** What was received is still delivered. */
function endSoon(socket: Duplex & { destroySoon?: () => void }): void {
  if (socket.destroySoon === undefined) socket.destroy()
  else socket.destroySoon()
}

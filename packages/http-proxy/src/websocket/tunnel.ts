import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { FrameBoundary } from './frame-boundary.ts'
import { LINGER_MS } from '../server/linger.ts'

/** A WebSocket that is open. */
export interface Tunnel {
  /**
   * Both sides are told that the other goes away (RFC 6455 §7.4.1: 1001), each as soon as the message that it is
   * getting is whole, and then nothing more; a side that has got a Close already gets no other. A few seconds later
   * at most it is over. Idempotent.
   */
  goAway(): void
}

/** A close frame with 1001; towards a server it has to be masked, if with zeros (RFC 6455 §5.3). */
const GOING_AWAY = Buffer.from([0x88, 0x02, 0x03, 0xe9])
const MASKED_GOING_AWAY = Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9])

/**
 * Pipes two sockets into each other, and makes them end together, whichever goes first: at once, or, while one still
 * has to take what the other has sent, within a few seconds; and after `idleMs` without a byte.
 */
export function openTunnel(client: Duplex, backend: Socket, idleMs: number): Tunnel {
  let linger: NodeJS.Timeout | undefined
  let isGoing = false
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
  const endToClient = pipeFrames(backend, client, GOING_AWAY)
  const endToBackend = pipeFrames(client, backend, MASKED_GOING_AWAY)
  // Whatever passes, passes through both.
  if (idleMs > 0) backend.setTimeout(idleMs, destroy)
  return {
    goAway() {
      if (isGoing) return
      isGoing = true
      startLinger()
      endToClient()
      endToBackend()
    },
  }
}

/**
 * Pipes `from` into `to`.
 * @returns what ends it with `close`, behind the message that is on its way
 */
function pipeFrames(from: Duplex, to: Duplex, close: Buffer): () => void {
  const boundary = new FrameBoundary()
  function watch(piece: Buffer): void {
    boundary.follow(piece)
  }
  from.on('data', watch).pipe(to)
  return () => {
    if (to.writableEnded || boundary.hasClose) return
    from.off('data', watch).unpipe(to)
    endBehindMessage(from, to, boundary, close)
  }
}

/**
 * Passes what is left of a message, then `close`; the rest is read and dropped, so that the end of it is seen. No
 * stream stands between: what it held would be lost when `from` has closed.
 */
function endBehindMessage(from: Duplex, to: Duplex, boundary: FrameBoundary, close: Buffer): void {
  function end(): void {
    from.off('data', pass).resume()
    if (boundary.hasClose) to.end()
    else to.end(close)
  }
  function pass(piece: Buffer): void {
    const isTaken = to.write(piece.subarray(0, boundary.followMessage(piece)))
    if (boundary.isBetween) {
      end()
    } else if (!isTaken) {
      from.pause()
      to.once('drain', () => from.resume())
    }
  }
  if (boundary.isBetween) {
    end()
    return
  }
  // A message that its sender has left unfinished ends as it is.
  from.once('end', () => to.end())
  from.on('data', pass).resume()
}

/** What was received is still delivered. */
function endSoon(socket: Duplex & { destroySoon?: () => void }): void {
  if (socket.destroySoon === undefined) socket.destroy()
  else socket.destroySoon()
}

import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { FrameBoundary } from './frame-boundary.ts'
import { LINGER_MS } from '../server/linger.ts'

/** A WebSocket that is open. */
export interface Tunnel {
  /**
   * Sends both sides a close frame (RFC 6455 §7.4.1: 1001), each after the end of the message that it is
   * receiving, and then nothing more. A side that was sent a close frame already gets no other. The tunnel closes
   * within a few seconds. Idempotent.
   */
  goAway(): void
}

/** A close frame with 1001; towards a server it has to be masked, if with zeros (RFC 6455 §5.3). */
const GOING_AWAY = Buffer.from([0x88, 0x02, 0x03, 0xe9])
const MASKED_GOING_AWAY = Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9])

/**
 * Pipes two sockets into each other, and closes both when either closes: at once, or, while one still
 * has to receive bytes of the other, within a few seconds; and after `idleMs` without a byte.
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
 * @returns a function that sends `close` after the current message and ends
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
 * Forwards the rest of a message, then `close`; later bytes are read and dropped, so that the end is noticed. No
 * stream stands between: its buffer would be lost when `from` has closed.
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

/** Received bytes are still delivered. */
function endSoon(socket: Duplex & { destroySoon?: () => void }): void {
  if (socket.destroySoon === undefined) socket.destroy()
  else socket.destroySoon()
}

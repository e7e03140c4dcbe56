import type { Duplex } from 'node:stream'

/** Events that a listener of `upgrade` subscribes to when it takes a socket, or waits to decide. */
const EVENTS = ['close', 'data', 'drain', 'end', 'error', 'finish', 'readable', 'timeout'] as const

/**
 * Watches whether another listener of a server's `upgrade` event claims `socket`. A listener claims the socket when it
 * writes to it, ends it, destroys it, gives it to a response, or listens to one of its events. Listeners that first
 * wait for something must do one of these before; `ws` recommends `socket.on('error', …)`.
 * @returns whether the socket has been claimed since this call; ask when all listeners of the event have run
 */
export function watchClaim(socket: Duplex): () => boolean {
  const before = touches(socket)
  return () => touches(socket).some((touch, index) => touch !== before[index])
}

/**
 * Whether a listener of `upgrade` that was called before has claimed `socket`, where there was no look at it earlier.
 * Node takes its own listeners off the socket before the event.
 */
export function isClaimedAlready(socket: Duplex): boolean {
  return (
    socket.destroyed ||
    socket.writableEnded ||
    ['data', 'error', 'readable'].some(event => socket.listenerCount(event) > 0)
  )
}

/**
 * For a socket that is left to the other listeners of `upgrade`: closes it on an error when none of them listens to
 * errors by the time they have all run. Node has taken its own listener off, and a client's reset would end the process.
 */
export function closeOnError(socket: Duplex): void {
  // Behind the ticks in which listeners of pools look for a claim: this is none.
  process.nextTick(() => {
    process.nextTick(() => {
      if (socket.listenerCount('error') === 0) socket.on('error', () => socket.destroy())
    })
  })
}

function touches(socket: Duplex): readonly unknown[] {
  return [
    socket.destroyed,
    socket.writableEnded,
    Reflect.get(socket, 'bytesWritten'),
    // The response that Node has assigned; nothing public tells.
    Reflect.get(socket, '_httpMessage'),
    ...EVENTS.map(event => socket.listenerCount(event)),
  ]
}

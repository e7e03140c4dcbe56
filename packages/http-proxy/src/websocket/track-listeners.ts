import type { Duplex } from 'node:stream'

/** The events that tell how a socket ends. */
const EVENTS = ['close', 'error']

/** Records the listeners for the end of `socket`. The returned function removes those that were added since. */
export function trackListeners(socket: Duplex): () => void {
  const before = new Map(EVENTS.map(event => [event, socket.rawListeners(event)]))
  return () => {
    for (const [event, listeners] of before) {
      for (const listener of socket.rawListeners(event)) {
        if (!listeners.includes(listener)) socket.off(event, listener as () => void)
      }
    }
  }
}

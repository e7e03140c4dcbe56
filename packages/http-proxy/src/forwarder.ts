import type { Duplex } from 'node:stream'
import type { Attempt } from './exchange/attempt.ts'
import { asError } from './failure.ts'

/** Sends attempts to their backends. The results arrive by the events of the attempts. */
export interface Forwarder {
  readonly forward: (attempt: Attempt) => void
  readonly forwardHandshake: (attempt: Attempt, socket: Duplex, head: Buffer) => void
}

/** http-proxy-middleware, which is loaded with the first attempt. */
export function forwarderOnDemand(): Forwarder {
  let loaded: Forwarder | undefined
  let loading: Promise<Forwarder> | undefined
  function send(attempt: Attempt, step: (forwarder: Forwarder) => void): void {
    if (loaded !== undefined) {
      step(loaded)
      return
    }
    loading ??= load()
    loading
      .then(forwarder => {
        loaded = forwarder
        step(forwarder)
      })
      .catch((error: unknown) => attempt.events.failed(asError(error)))
  }
  return {
    forward: attempt => send(attempt, forwarder => forwarder.forward(attempt)),
    forwardHandshake: (attempt, socket, head) =>
      send(attempt, forwarder => {
        // The client may have left meanwhile.
        if (socket.writable) forwarder.forwardHandshake(attempt, socket, head)
      }),
  }
}

async function load(): Promise<Forwarder> {
  const { httpProxyMiddleware } = await import('./http-proxy-middleware.ts')
  return httpProxyMiddleware()
}

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import {
  type Affinity,
  isAffinityError,
  type Lease,
  NoBackendError,
  RefusedRequestError,
  requestHead,
} from '@limpet/core'
import { type Attempt, newAttempt } from './attempt.ts'
import type { BackendAgents } from './backend-agent.ts'
import { closingError } from './closing-answer.ts'
import { Handshake } from './handshake.ts'
import type { Transport } from './transport-options.ts'
import { isWebSocket } from './upgrade-request.ts'

export interface Upgrades {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, url: string): void
  /** Ends every tunnel. */
  close(): void
}

/** @param forward http-proxy-middleware's own upgrade */
export function upgrader(
  affinity: Affinity,
  agents: BackendAgents,
  transport: Transport,
  forward: (request: Attempt & IncomingMessage, socket: Duplex, head: Buffer) => void,
): Upgrades {
  const sockets = new Set<Duplex>()

  async function select(request: IncomingMessage, url: string): Promise<Lease> {
    const head = { ...requestHead(request), url }
    // What follows a handshake before it was answered is nobody's to forward (CVE-2026-2833).
    if (!isWebSocket(request) || head.hasBody)
      throw new RefusedRequestError(400, 'framing', 'not a WebSocket handshake')
    return affinity.select(head)
  }

  function start(lease: Lease, request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const handshake = new Handshake(lease, socket, transport)
    const attempt = newAttempt(lease, 'GET', agents, handshake, sent => sent.end(), SOME_SERVER)
    // httpxy reads them in lower case.
    Object.assign(attempt.headers, { connection: 'Upgrade', upgrade: 'websocket' })
    forward(attempt as Attempt & IncomingMessage, socket, head)
  }

  return {
    upgrade(request, socket, head, url) {
      sockets.add(socket)
      // From the first moment: nobody else listens while a policy is asked.
      socket.on('error', () => socket.destroy()).once('close', () => sockets.delete(socket))
      select(request, url).then(
        lease => {
          if (socket.destroyed) lease.release()
          else start(lease, request, socket, head)
        },
        (error: unknown) => {
          socket.end(closingError(isAffinityError(error) ? error : new NoBackendError()))
        },
      )
    },
    close() {
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** http-proxy-middleware tunnels only what came by a server. */
const SOME_SERVER = {}

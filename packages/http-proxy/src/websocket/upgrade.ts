import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import {
  type Affinity,
  isAffinityError,
  type Lease,
  type RequestHead,
  requestHead,
  type RequestView,
} from '@limpet/core'
import { type HeaderEdits, NoBackendError, RefusedRequestError } from '@limpet/core/adapter'
import type { Attempt } from '../exchange/attempt.ts'
import type { BackendAgents } from '../backend/backend-agent.ts'
import { closingResponse, closingError } from '../server/closing-response.ts'
import type { CookieOwner } from '../server/cookie-owners.ts'
import type { Hooks } from '../rewriting/hooks.ts'
import { Handshake } from './handshake.ts'
import { endWith, lingerAtEnd } from '../server/linger.ts'
import type { Transport } from '../transport-options.ts'
import { isBusy, isWebSocket } from './upgrade-request.ts'

export interface Upgrades {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, view?: RequestView): void
  /** Refuses a handshake that the application has failed. */
  refuse(error: unknown, request: IncomingMessage, socket: Duplex): void
  /** Closes every tunnel, with 1001. Handshakes that are not open yet, or come later, get 503. */
  close(): void
}

/** The parts that forward handshakes. */
export interface Upgrading {
  readonly affinity: Affinity
  readonly agents: BackendAgents
  readonly owner: CookieOwner
  readonly transport: Transport
  readonly requestHeaders: HeaderEdits | undefined
  readonly hooks: Hooks
}

/** @param forward http-proxy-middleware's own upgrade */
export function upgrader(
  { affinity, agents, owner, transport, requestHeaders, hooks }: Upgrading,
  forward: (attempt: Attempt, socket: Duplex, head: Buffer) => void,
): Upgrades {
  /** The callback for closing of each socket. */
  const endings = new Map<Duplex, () => void>()
  let isClosed = false

  async function select(
    request: IncomingMessage,
    socket: Duplex,
    view: RequestView | undefined,
  ): Promise<Selected | undefined> {
    const head: RequestHead = { ...requestHead(request, view, requestHeaders), isHandshake: true }
    // Bytes behind an unanswered handshake must not be forwarded (CVE-2026-2833).
    if (!isWebSocket(request) || head.hasBody)
      throw new RefusedRequestError(400, 'framing', 'not a WebSocket handshake')
    owner.check(request)
    const lease = await affinity.select(head, onGone => {
      // A policy may have asked a remote store meanwhile.
      if (socket.destroyed) onGone()
      else socket.once('close', onGone)
    })
    return lease === undefined ? undefined : { lease, head }
  }

  /** Responds to a handshake that is not given to a backend, unless the application does. */
  function refuseWith(error: unknown, request: IncomingMessage, socket: Duplex): void {
    if (!socket.writable) return
    hooks.errors.refuse(error, request, socket, refused => {
      // Other errors are those of the application.
      endWith(socket, isAffinityError(refused) ? closingError(refused) : closingResponse(500))
    })
  }

  function start(request: IncomingMessage, { lease, head }: Selected, socket: Duplex, first: Buffer): void {
    let early = first
    const handshake = new Handshake(
      lease,
      head,
      socket,
      agents,
      transport,
      attempt => {
        forward(attempt, socket, early)
        // httpxy has put them back into the socket, and would do so with each attempt.
        early = NO_BYTES
      },
      hooks.ofHandshake(request, socket, lease),
      error => refuseWith(error, request, socket),
    )
    endings.set(socket, () => handshake.end())
    handshake.send()
  }

  return {
    upgrade(request, socket, head, view) {
      // Behind a request that waits for its response it would get one out of turn.
      if (socket.destroyed || isBusy(socket)) {
        socket.destroy()
        return
      }
      function refuse(): void {
        if (socket.writable) endWith(socket, closingError(new NoBackendError()))
      }
      function leave(): void {
        socket.destroy()
      }
      endings.set(socket, refuse)
      // From the first moment: there is no other listener while a policy is asked.
      socket.on('error', leave).once('close', () => endings.delete(socket))
      lingerAtEnd(socket)
      // Its tunnel would never end.
      if (isClosed) {
        refuse()
        return
      }
      socket.once('end', leave)
      select(request, socket, view)
        .then(selected => {
          if (selected === undefined) return
          if (!socket.writable) {
            selected.lease.release()
            return
          }
          socket.off('end', leave)
          start(request, selected, socket, head)
        })
        .catch((error: unknown) => refuseWith(error, request, socket))
    },
    refuse(error, request, socket) {
      socket.on('error', () => socket.destroy())
      if (isBusy(socket)) socket.destroy()
      else refuseWith(error, request, socket)
    },
    close() {
      isClosed = true
      for (const end of endings.values()) end()
    },
  }
}

const NO_BYTES = Buffer.alloc(0)

interface Selected {
  readonly lease: Lease
  readonly head: RequestHead
}

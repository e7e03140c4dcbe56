import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { type Affinity, type Lease, type RequestHead, requestHead, type RequestView } from '@limpet/core'
import { startDiscovery, startHealthChecks } from '@limpet/core/adapter'
import { backendAgents } from './backend/backend-agent.ts'
import { onceClosed } from './exchange/client-side.ts'
import { clientBody } from './exchange/client-body.ts'
import type { BackendResponse } from './exchange/backend-response.ts'
import { Exchange } from './exchange/exchange.ts'
import type { RequestRecord } from './exchange/limpet-info.ts'
import type { ParsedBody } from './exchange/parsed-body.ts'
import type { RequestBody } from './exchange/request-body.ts'
import { healthProbe } from './backend/health-probe.ts'
import type { ParsedHttpProxyOptions } from './http-proxy-options.ts'
import { CONSOLE } from './logging/logger.ts'
import { logPool } from './logging/pool-log.ts'
import { forwarderOnDemand, type Forwarder } from './forwarder.ts'
import { Forwarding, isUnderWay, setUnderWay } from './forwarding.ts'
import type { Rewriting } from './node-proxy-options.ts'
import { Hooks } from './rewriting/hooks.ts'
import { CookieOwner } from './server/cookie-owners.ts'
import { watchNominations } from './server/nomination-marks.ts'
import { noteRefusal, refuseAfterRefusal } from './server/refused-connection.ts'
import { boundUnreadBody } from './server/unread-body.ts'
import { upgrader } from './websocket/upgrade.ts'

/** Forwards Node requests and handshakes to a pool. */
export interface NodeProxy {
  readonly affinity: Affinity
  /**
   * Sends `request` to a backend. Resolves when the head of the response has arrived; with undefined when the client
   * has left, when `on.proxyRes` or `on.error` sends the response, or when the request is not forwarded: it was responded to before, or is given a second time. The caller sends any other, and `client` shows when it is over.
   * @param view the application's view of the request, where a framework keeps it elsewhere; a string is its
   *   `url`, the request target for the backend @default the properties of `request`
   * @param parsed where a body parser that came first leaves `body` and `rawBody` @default request
   * @param record where the proxy writes the backend, the affinity status and the attempts @default none is kept
   * @throws AffinityError with `statusCode` and `code`, for the response to the client
   */
  readonly forward: (
    request: IncomingMessage,
    client: ServerResponse,
    view?: string | RequestView,
    parsed?: ParsedBody,
    record?: RequestRecord,
  ) => Promise<BackendResponse | undefined>
  /** Gives a WebSocket handshake to a backend, and tunnels. For a server's `upgrade` event. */
  readonly upgrade: (
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    view?: string | RequestView,
  ) => void
  /** Ends idle connections, tunnels, health checks and discovery. */
  readonly close: () => void
}

/**
 * A proxy of Node requests and handshakes.
 * @param rewriting the edits of messages that adapters on http-proxy-middleware have @default none
 * @param forwarder sends attempts @default http-proxy-middleware, loaded with the first attempt: an adapter with a
 *   forwarder of its own needs it for handshakes alone, and its users may have none
 */
export function httpProxyOf(
  {
    affinity,
    transport,
    bodyLimit = Infinity,
    requestHeaders,
    logger = CONSOLE,
    health,
    discovery,
  }: ParsedHttpProxyOptions,
  rewriting: Rewriting = {},
  forwarder: Forwarder = forwarderOnDemand(),
): NodeProxy {
  const hooks = new Hooks(rewriting, logger, affinity.pool.name)
  // Before health checks and discovery, which begin at once.
  const endLog = logPool(affinity.pool, logger)
  const endMarks = watchNominations()
  const agents = backendAgents(affinity, transport)
  const owner = new CookieOwner(affinity)
  const discovering = discovery === undefined ? undefined : startDiscovery(affinity.pool, discovery)
  const checks =
    health === undefined
      ? undefined
      : startHealthChecks(affinity.pool, health, healthProbe(transport, health))
  function select(
    request: IncomingMessage,
    client: ServerResponse,
    head: RequestHead,
  ): Lease | Promise<Lease | undefined> {
    function refuse(error: unknown): never {
      noteRefusal(request, client, error)
      throw error
    }
    try {
      const lease = affinity.select(head, onGone => onceClosed(request, client, onGone))
      return lease instanceof Promise ? lease.catch(refuse) : lease
    } catch (error) {
      return refuse(error)
    }
  }
  const { forward: forwardAttempt } = forwarder
  function begin(
    forwarding: Forwarding,
    lease: Lease,
    head: RequestHead,
    body: RequestBody | Buffer | null,
    record: RequestRecord | undefined,
  ): void {
    record?.placed(lease)
    const ofRequest = hooks.ofRequest(forwarding.request, forwarding.client)
    const exchange = new Exchange(lease, head, agents, body, transport, forwardAttempt, record, ofRequest)
    forwarding.begin(exchange, lease)
  }
  const upgrades = upgrader(
    { affinity, agents, owner, transport, requestHeaders, hooks },
    forwarder.forwardHandshake,
  )

  return {
    affinity,
    // One promise for all of it: each more is kept as long as the request lasts.
    forward: (request, client, view, parsed = request as ParsedBody, record) =>
      new Promise((resolve, refuse) => {
        // Middleware that has responded and goes on all the same.
        if (client.writableEnded) {
          resolve(undefined)
          return
        }
        if (isUnderWay(request)) {
          if (logger !== false) logger.error(TWICE)
          resolve(undefined)
          return
        }
        setUnderWay(request, true)
        const forwarding = new Forwarding(hooks, request, client, resolve, refuse)
        try {
          refuseAfterRefusal(request)
          const given = requestHead(request, hooks.view(request, view), requestHeaders)
          if (given.hasBody) boundUnreadBody(request, client)
          owner.check(request)
          const { head, body } = given.hasBody
            ? clientBody(request, given, parsed, bodyLimit, () => forwarding.progress())
            : { head: given, body: null }
          const lease = select(request, client, head)
          // A request waits only for a policy that queries a remote store, or for room in the pool.
          if (lease instanceof Promise)
            lease
              .then(held => {
                if (held === undefined) resolve(undefined)
                else begin(forwarding, held, head, body, record)
              })
              .catch((error: unknown) => forwarding.failed(error))
          else begin(forwarding, lease, head, body, record)
        } catch (error) {
          forwarding.failed(error)
        }
      }),
    upgrade(request, socket, head, view) {
      let seen: RequestView | undefined
      try {
        seen = hooks.view(request, view)
      } catch (error) {
        upgrades.refuse(error, request, socket)
        return
      }
      upgrades.upgrade(request, socket, head, seen)
    },
    close() {
      discovering?.close()
      checks?.close()
      upgrades.close()
      agents.close()
      owner.close()
      endMarks()
      endLog()
    },
  }
}

const TWICE =
  'limpet has this request already and ignores another call; check for middleware that calls next() twice, or a handler of limpet that is called twice'

import { once } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { Explanation } from '@limpet/core'
import { refuseUpgrade } from '@limpet/http-proxy/transport'
import type { EndingPool } from '@limpet/stats'
import { AdminError } from '../admin/admin-error.ts'
import { AccessLog } from '../logging/access-log.ts'
import { ClientConnections } from './client-connections.ts'
import { ConnectionCounts } from './connection-counts.ts'
import { changeCertificate, changeLimits, newServer } from './client-server.ts'
import type { GatewayConfig } from '../config/config.ts'
import { endingMs } from '../workers/deadline.ts'
import { errorPage } from './error-page.ts'
import type { ParsedQuestion } from '../explaining/question.ts'
import { routedPool } from '../explaining/routed-pool.ts'
import type { Logs } from '../logging/log.ts'
import type { Members } from '../reload/pool-members.ts'
import type { PreparedReload } from '../reload/prepared-reload.ts'
import { type Changes, changesBetween, reloaded } from '../reload/reload.ts'
import { AMBIGUOUS, type Router, router } from '../config/routes.ts'
import type { ServedPool } from './served-pool.ts'
import { ServedPools, type WorkerSharing } from './served-pools.ts'

const LOOK_MS = 100

/** A gateway that is running. */
export class Gateway {
  readonly #accessLog: AccessLog | undefined
  readonly #server: Server
  readonly #connections: ClientConnections
  readonly #pools: ServedPools
  #config: GatewayConfig
  #route: Router
  /** Settles when the last reload is committed or aborted. */
  #lastReload: Promise<void> = Promise.resolve()
  #isEnding = false
  #isClosing = false

  private constructor(config: GatewayConfig, logs: Logs, workers: WorkerSharing | undefined) {
    this.#config = config
    this.#route = router(config.routes)
    const { access, sample, skip } = config.log
    this.#accessLog =
      access && logs.log.isLevelEnabled('info')
        ? new AccessLog({ log: logs.access, sample, skip })
        : undefined
    const log = this.#accessLog
    this.#pools = new ServedPools(
      config,
      log === undefined ? same => same : affinity => log.observed(affinity),
      workers,
    )
    this.#server = newServer(config)
    const counts = new ConnectionCounts(config.limits, config.workers)
    this.#connections = new ClientConnections(this.#server, counts, config.limits, logs.log)
    workers?.loads.serveConnections(counts)
    this.#server.on('request', (request, response) => this.#request(request, response))
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
  }

  /**
   * Resolves when the gateway listens.
   * @param members of the pools, from another process that serves the same
   * @param workers what it shares with the other workers
   * @throws Error when the port is not available; then nothing is left running
   */
  static async start(
    config: GatewayConfig,
    logs: Logs,
    members: Members = {},
    workers?: WorkerSharing,
  ): Promise<Gateway> {
    const gateway = new Gateway(config, logs, workers)
    try {
      await gateway.#pools.start(config.pools, members)
      const { host, port } = config.listen
      gateway.#server.listen({ host, port })
      await once(gateway.#server, 'listening')
    } catch (error) {
      await gateway.#pools.close()
      throw error
    }
    return gateway
  }

  /** The configuration that is in use, which a reload replaces. */
  get config(): GatewayConfig {
    return this.#config
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    const { host, tls } = this.#config.listen
    return `${tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${this.port}`
  }

  /** Whether shutdown has begun. */
  get isEnding(): boolean {
    return this.#isEnding
  }

  /** Maximum duration of a graceful shutdown. */
  get endingMs(): number {
    return endingMs(this.#config)
  }

  get pools(): ReadonlyMap<string, ServedPool> {
    return this.#pools.current
  }

  /** Pools that a reload has replaced, and that have requests left. */
  get ending(): readonly EndingPool[] {
    return this.#pools.ending
  }

  /**
   * Explains why the request of a question would get its backend. It has no effect.
   * @throws AdminError for a pool or a route that there is not
   */
  async explain(question: ParsedQuestion): Promise<Explanation> {
    const name = question.pool ?? routedPool(question, this.#route)
    const served = this.pools.get(name)
    if (served === undefined)
      throw new AdminError(
        404,
        'NOT_FOUND',
        `there is no pool ${name}; there are ${[...this.pools.keys()].join(', ')}`,
      )
    return served.explain(question)
  }

  get members(): Members {
    return this.#pools.members
  }

  /** Makes these the members of its pools. */
  restore(members: Members): void {
    this.#pools.restore(members)
  }

  /**
   * Applies another configuration without dropping a request. Pools of which only the backends differ stay. Other pools
   * are replaced by new ones that take over their state.
   * @throws Error when a pool cannot be started; then nothing has changed
   */
  async reload(config: GatewayConfig): Promise<Changes> {
    const prepared = await this.prepare(config)
    prepared.commit()
    return prepared.changes
  }

  /**
   * Does all of a reload that can fail. Waits until the last one is committed or aborted.
   * @throws Error when a pool cannot be started; then nothing has changed
   */
  async prepare(after: GatewayConfig): Promise<PreparedReload> {
    const last = this.#lastReload
    const { promise, resolve: settle } = Promise.withResolvers<void>()
    this.#lastReload = promise
    await last
    try {
      const changes = changesBetween(this.#config, after)
      const config = reloaded(this.#config, after)
      const prepared = await this.#pools.prepare(config.pools)
      return {
        changes,
        commit: () => {
          this.#change(config)
          prepared.commit()
          settle()
        },
        abort: async () => {
          await prepared.abort()
          settle()
        },
      }
    } catch (error) {
      settle()
      throw error
    }
  }

  #change(config: GatewayConfig): void {
    changeCertificate(this.#server, config.listen.tls)
    changeLimits(this.#server, config.limits)
    this.#connections.limits = config.limits
    this.#route = router(config.routes)
    this.#config = config
  }

  /** Serves new requests until load balancers have noticed the shutdown, then closes. */
  async stop(): Promise<void> {
    this.#isEnding = true
    const { preStopMs } = this.#config
    if (preStopMs > 0) await delay(preStopMs)
    await this.close()
  }

  /** Takes no new connection. Resolves when all requests have ended, or at the timeout. */
  async close(): Promise<void> {
    this.#isEnding = true
    const { shutdownGraceMs } = this.#config
    this.#isClosing = true
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#connections.end()
    this.#pools.recall()
    const deadlineMs = performance.now() + shutdownGraceMs
    const looking = setInterval(() => {
      if (performance.now() >= deadlineMs) this.#connections.cut()
      // A browser would keep its connection after the response.
      else this.#server.closeIdleConnections()
    }, LOOK_MS)
    await closed
    clearInterval(looking)
    await this.#pools.close()
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    if (this.#isHealthCheck(request)) {
      this.#accessLog?.begin(request, response, undefined)
      this.#sendHealth(response)
      return
    }
    const found = this.#served(request)
    const served = typeof found === 'number' ? undefined : found
    this.#accessLog?.begin(request, response, served?.name)
    // HTTP/1 alone: HTTP/2 announces the shutdown itself (GOAWAY).
    if (this.#isClosing && request.httpVersionMajor === 1) response.shouldKeepAlive = false
    if (typeof found === 'number') errorPage.send(response, found)
    else found.app.request(request, response)
  }

  #isHealthCheck({ method, url = '' }: IncomingMessage): boolean {
    const { health } = this.#config.listen
    if (health === undefined || !url.startsWith(health) || (method !== 'GET' && method !== 'HEAD'))
      return false
    return url.length === health.length || url[health.length] === '?'
  }

  /** The load balancer in front sends no more requests when it sees 503. */
  #sendHealth(response: ServerResponse): void {
    const isReady = !this.#isEnding && this.pools.values().some(({ pool }) => pool.candidates.length > 0)
    // HTTP/2 has no such field.
    if (this.#isClosing && response.req.httpVersionMajor === 1) response.shouldKeepAlive = false
    errorPage.send(response, isReady ? 200 : 503)
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const found = this.#served(request)
    const served = typeof found === 'number' ? undefined : found
    const status = typeof found === 'number' ? found : this.#isClosing ? 503 : undefined
    this.#accessLog?.beginUpgrade(request, socket, { pool: served?.name, status })
    if (status === undefined) served?.app.upgrade(request, socket, head)
    else refuseUpgrade(socket, status)
  }

  /** The pool of a request, or the status that refuses it. */
  #served({ headers, url = '' }: IncomingMessage): ServedPool | number {
    const host = headers.host ?? headers[':authority']
    const name = this.#route(typeof host === 'string' ? host : undefined, url)
    if (name === AMBIGUOUS) return 400
    return (name === undefined ? undefined : this.pools.get(name)) ?? 404
  }
}

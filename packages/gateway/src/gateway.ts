import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createSecureServer, type Http2SecureServer } from 'node:http2'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { closingAnswer, guardServer, SERVER_OPTIONS } from '@limpet/http-proxy'
import type { Logger } from 'pino'
import { AccessLog } from './access-log.ts'
import type { GatewayConfig } from './config.ts'
import { errorPage } from './error-page.ts'
import { type Router, router } from './routes.ts'
import { ServedPool } from './served-pool.ts'

const LOOK_MS = 100

/** A gateway that is running. */
export class Gateway {
  readonly #accessLog: AccessLog | undefined
  readonly #server: Server
  #config: GatewayConfig
  #pools: ReadonlyMap<string, ServedPool> = new Map()
  #route: Router
  #isClosing = false

  private constructor(config: GatewayConfig, accessLog: Logger) {
    this.#config = config
    this.#route = router(config.routes)
    const { access, sample } = config.log
    this.#accessLog = access ? new AccessLog({ log: accessLog, sample }) : undefined
    this.#server = guardServer(newServer(config))
    this.#server.on('request', (request, response) => this.#request(request, response))
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
  }

  /**
   * Settles when it listens.
   * @throws Error when the port cannot be had; then nothing is left running
   */
  static async start(config: GatewayConfig, accessLog: Logger): Promise<Gateway> {
    const gateway = new Gateway(config, accessLog)
    try {
      gateway.#pools = await gateway.#startPools(config)
      const { host, port } = config.listen
      gateway.#server.listen({ host, port })
      await once(gateway.#server, 'listening')
    } catch (error) {
      await Promise.all([...gateway.#pools.values()].map(async ({ app }) => app.close()))
      throw error
    }
    return gateway
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    const { host, tls } = this.#config.listen
    return `${tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${this.port}`
  }

  get isClosing(): boolean {
    return this.#isClosing
  }

  get pools(): ReadonlyMap<string, ServedPool> {
    return this.#pools
  }

  /**
   * Takes another configuration without dropping a request. Pools of which only the backends differ go on as they are.
   * @returns what has changed, for the log
   */
  async reload(config: GatewayConfig): Promise<readonly string[]> {
    const changes: string[] = []
    const before = this.#pools
    const next = new Map<string, ServedPool>()
    for (const pool of config.pools) {
      const served = before.get(pool.name)
      if (served?.canBecome(pool) === true) {
        if (served.become(pool)) changes.push(`pools.${pool.name}.backends`)
        next.set(pool.name, served)
      } else {
        next.set(pool.name, await this.#startPool(config, pool, served))
        changes.push(`pools.${pool.name}`)
      }
    }
    for (const name of before.keys()) if (!next.has(name)) changes.push(`pools.${name}`)
    if (JSON.stringify(config.routes) !== JSON.stringify(this.#config.routes)) changes.push('routes')
    this.#pools = next
    this.#route = router(config.routes)
    this.#config = { ...this.#config, pools: config.pools, routes: config.routes }
    for (const [name, served] of before) {
      if (next.get(name) !== served) void served.retire(config.shutdownGraceMs)
    }
    return changes
  }

  /** Takes nobody new, and settles when what is in flight has ended, or `shutdownGraceMs` have passed. */
  async close(): Promise<void> {
    this.#isClosing = true
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const { pool } of this.#pools.values()) pool.recall()
    // A browser would keep its connection after its answer.
    const idle = setInterval(() => this.#server.closeIdleConnections(), LOOK_MS)
    const impatience = setTimeout(() => this.#server.closeAllConnections(), this.#config.shutdownGraceMs)
    await closed
    clearInterval(idle)
    clearTimeout(impatience)
    await Promise.all([...this.#pools.values()].map(async ({ app }) => app.close()))
  }

  async #startPools(config: GatewayConfig): Promise<ReadonlyMap<string, ServedPool>> {
    const started = new Map<string, ServedPool>()
    for (const pool of config.pools) started.set(pool.name, await this.#startPool(config, pool))
    return started
  }

  async #startPool(
    { adapter }: GatewayConfig,
    pool: GatewayConfig['pools'][number],
    before?: ServedPool,
  ): Promise<ServedPool> {
    const log = this.#accessLog
    return ServedPool.start(
      adapter,
      pool,
      log === undefined ? same => same : one => log.observed(one),
      before,
    )
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    const served = this.#served(request)
    served?.editRequest?.(request)
    this.#accessLog?.begin(request, response, served?.name)
    // HTTP/1 alone: HTTP/2 says good-bye by itself.
    if (this.#isClosing && request.httpVersionMajor === 1) response.shouldKeepAlive = false
    if (served === undefined) errorPage.send(response, 404)
    else served.app.request(request, response)
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const served = this.#served(request)
    served?.editRequest?.(request)
    this.#accessLog?.beginUpgrade(request, socket, served?.name)
    if (served === undefined || this.#isClosing) {
      socket.on('error', () => socket.destroy())
      socket.end(closingAnswer(served === undefined ? 404 : 503))
    } else {
      served.app.upgrade(request, socket, head)
    }
  }

  #served({ headers, url = '' }: IncomingMessage): ServedPool | undefined {
    const host = headers.host ?? headers[':authority']
    const name = this.#route(typeof host === 'string' ? host : undefined, url)
    return name === undefined ? undefined : this.#pools.get(name)
  }
}

function newServer({ listen, limits }: GatewayConfig): Server {
  const options = {
    maxHeaderSize: limits.maxHeaderSize,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: SERVER_OPTIONS.connectionsCheckingInterval,
  }
  const { tls, http2 } = listen
  const server =
    tls === undefined
      ? createServer(options)
      : http2
        ? // Its compatible side has the same events.
          (createSecureServer({
            ...options,
            ...tls,
            allowHTTP1: true,
            settings: { maxHeaderListSize: limits.maxHeaderSize },
          }) as Http2SecureServer & Server)
        : createTlsServer({ ...options, ...tls })
  if (limits.connections > 0) server.maxConnections = limits.connections
  server.on('connection', (socket: Socket) => socket.on('error', () => undefined))
  return server
}

import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { OptionError } from '@limpet/core'
import { exposition, inTurns, namesIn } from '@limpet/metrics'
import { CSV_TYPE, OperatorPage, statsCsvPieces, statsJson, statsJsonPieces } from '@limpet/stats'
import { guardServer, SERVER_OPTIONS } from '@limpet/http-proxy/transport'
import type { Logger } from 'pino'
import type { AdminConfig } from '../config/config.ts'
import type { Operations } from './operations.ts'
import { AdminError } from './admin-error.ts'
import { Admission } from './admission.ts'
import { readJson } from './json-body.ts'
import { pageSource } from './page-source.ts'

interface AdminResponse {
  readonly statusCode: number
  /** A text or a stream is sent as it is, anything else as JSON. */
  readonly body?: unknown
  /** The media type of a text or a stream. */
  readonly type?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** The parts of an admin request that its handler uses. */
interface Call {
  readonly request: IncomingMessage
  readonly pool: string
  readonly id: string
}

type Handler = (call: Call) => AdminResponse | Promise<AdminResponse>

/** The port by which an operator looks at a gateway, and changes its pools while it runs. */
export class Admin {
  readonly #operations: Operations
  readonly #admission: Admission
  readonly #page: OperatorPage
  readonly #log: Logger
  readonly #server: Server
  /** Until they are closed: the server forgets a connection that asked for CONNECT, and waits for it all the same. */
  readonly #sockets = new Set<Socket>()

  private constructor(operations: Operations, config: AdminConfig, log: Logger) {
    this.#operations = operations
    this.#page = new OperatorPage(pageSource(operations))
    this.#admission = new Admission(config)
    this.#log = log
    this.#server = guardServer(
      createServer({ ...SERVER_OPTIONS, requestTimeout: 10_000 }, (request, response) => {
        this.#handle(request).then(
          answer => send(response, answer),
          (error: unknown) => {
            this.#note(request, error)
            send(response, errorResponse(error))
          },
        )
      }),
    )
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
  }

  /** @throws Error when the port cannot be had */
  static async start(operations: Operations, config: AdminConfig, log: Logger): Promise<Admin> {
    const admin = new Admin(operations, config, log)
    const { host, port } = config
    admin.#server.listen({ host, port })
    await once(admin.#server, 'listening')
    return admin
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  async #handle(request: IncomingMessage): Promise<AdminResponse> {
    const [path = ''] = (request.url ?? '').split('?', 1)
    const [, pool = '', , id = ''] = /^\/pools\/([\w-]+)(\/backends)?(?:\/([\w-]+))?$/.exec(path) ?? []
    // Health is public: a load balancer that probes it has no token.
    if (path !== '/healthz') this.#admission.admit(request, path === PAGE_PATH)
    const handlers = this.#handlersOf(path)
    if (handlers === undefined) throw new AdminError(404, 'NOT_FOUND', 'unknown path')
    const handler = handlers[request.method ?? '']
    if (handler === undefined) {
      const allow = Object.keys(handlers).join(', ')
      throw new AdminError(405, 'METHOD_NOT_ALLOWED', `this takes ${allow}`, { allow })
    }
    // The page checks its own forms.
    if (request.method !== 'GET' && path !== PAGE_PATH) this.#admission.admitChange(request)
    return handler({ request, pool, id })
  }

  #handlersOf(path: string): Readonly<Record<string, Handler>> | undefined {
    if (path === '/healthz') return { GET: () => this.#health() }
    if (path === PAGE_PATH) {
      const show: Handler = async call => this.#showPage(call)
      return { GET: show, POST: show }
    }
    if (CSV_PATHS.has(path)) return { GET: async () => this.#csv() }
    if (path === '/metrics') return { GET: async call => this.#metrics(call) }
    if (path === '/explain') return { POST: async call => this.#explain(call) }
    if (path === '/stats.json') return { GET: async () => this.#stats() }
    if (/^\/pools\/[\w-]+\/backends$/.test(path)) return { POST: async call => this.#add(call) }
    if (/^\/pools\/[\w-]+\/backends\/[\w-]+$/.test(path))
      return {
        GET: async call => this.#backend(call),
        PATCH: async call => this.#change(call),
        DELETE: async call => this.#remove(call),
      }
    return undefined
  }

  /** Logs refused requests, and errors that only a defect of the gateway can cause. */
  #note(request: IncomingMessage, error: unknown): void {
    if (!(error instanceof AdminError)) this.#log.error({ event: 'admin_failed', err: error })
    else if (DENIED.has(error.statusCode)) this.#noteDenied(request, error.code)
  }

  #noteDenied({ method, socket }: IncomingMessage, code: string): void {
    this.#log.warn({ event: 'admin_denied', method, client: socket.remoteAddress, code })
  }

  #health(): AdminResponse {
    const { isEnding, isReady } = this.#operations
    const status = isEnding ? 'closing' : isReady ? 'ok' : 'not_ready'
    return { statusCode: status === 'ok' ? 200 : 503, body: { status } }
  }

  async #stats(): Promise<AdminResponse> {
    const { isEnding } = this.#operations
    const [pools, logDropped] = await Promise.all([this.#operations.stats(), this.#operations.logDropped()])
    const gateway = { uptimeMs: Math.round(process.uptime() * 1000), closing: isEnding, logDropped }
    const pieces = statsJsonPieces({ gateway, pools })
    return { statusCode: 200, body: Readable.from(inTurns(pieces)), type: 'application/json' }
  }

  async #showPage({ request }: Call): Promise<AdminResponse> {
    const { authorization = '' } = request.headers
    const { statusCode, headers, body } = await this.#page.respondTo(request, authorization)
    if (DENIED.has(statusCode)) this.#noteDenied(request, 'FORM_REFUSED')
    return { statusCode, headers, body, type: headers['content-type'] ?? 'text/html' }
  }

  async #metrics({ request: { headers, url } }: Call): Promise<AdminResponse> {
    const names = namesOf(url)
    const pools = await this.#operations.stats()
    const { contentType, pieces } = exposition(Object.values(pools), headers.accept, names)
    return { statusCode: 200, body: Readable.from(inTurns(pieces)), type: contentType }
  }

  async #csv(): Promise<AdminResponse> {
    const pools = await this.#operations.stats()
    return {
      statusCode: 200,
      body: Readable.from(inTurns(statsCsvPieces(Object.values(pools)))),
      type: CSV_TYPE,
    }
  }

  async #backend({ pool, id }: Call): Promise<AdminResponse> {
    const pools = await this.#operations.stats()
    // Names from a url: not those that every object has.
    const figures = Object.hasOwn(pools, pool) ? pools[pool] : undefined
    if (figures === undefined) throw new AdminError(404, 'NOT_FOUND', `there is no pool ${pool}`)
    const body = figures.backends.find(backend => backend.id === id)
    if (body === undefined) throw new AdminError(404, 'NOT_FOUND', `there is no backend ${id}`)
    return { statusCode: 200, body }
  }

  async #explain({ request }: Call): Promise<AdminResponse> {
    return { statusCode: 200, body: await this.#operations.explain(await readJson(request)) }
  }

  async #add({ request, pool }: Call): Promise<AdminResponse> {
    return {
      statusCode: 201,
      body: await this.#operations.operate({ what: 'add', pool, body: await readJson(request) }),
    }
  }

  async #change({ request, pool, id }: Call): Promise<AdminResponse> {
    const body = await readJson(request)
    return { statusCode: 200, body: await this.#operations.operate({ what: 'change', pool, id, body }) }
  }

  async #remove({ pool, id }: Call): Promise<AdminResponse> {
    await this.#operations.operate({ what: 'remove', pool, id })
    return { statusCode: 204 }
  }
}

/** @throws AdminError for names that are unknown */
function namesOf(url: string | undefined): ReturnType<typeof namesIn> {
  try {
    return namesIn(url)
  } catch (error) {
    if (error instanceof OptionError) throw new AdminError(400, 'BAD_REQUEST', error.message)
    throw error
  }
}

/** The path of the stats page. */
const PAGE_PATH = '/'

/** HAProxy's statistics are at any path that ends with `;csv`; these are those that its readers ask for. */
const CSV_PATHS: ReadonlySet<string> = new Set(['/stats;csv', '/stats/;csv', '/;csv', '/stats.csv'])

const DENIED: ReadonlySet<number> = new Set([401, 403, 415, 421, 429])

function errorResponse(error: unknown): AdminResponse {
  if (error instanceof AdminError) {
    const { statusCode, code, message, headers } = error
    return { statusCode, body: { code, message }, headers }
  }
  return { statusCode: 500, body: { code: 'INTERNAL', message: 'internal error; its cause is in the log' } }
}

function send(response: ServerResponse, { statusCode, body, type, headers }: AdminResponse): void {
  if (response.headersSent) return
  response.writeHead(statusCode, {
    ...headers,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(body !== undefined && { 'content-type': type ?? 'application/json' }),
    // The unread rest of a rejected body must not be parsed as the next request.
    ...(statusCode >= 400 && { connection: 'close' }),
  })
  // A scraper that leaves has no use for the rest.
  if (body instanceof Readable) pipeline(body, response).catch(() => undefined)
  else response.end(body === undefined || typeof body === 'string' ? body : statsJson(body as object))
}

import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { OptionError, type Pool } from '@limpet/core'
import { guardServer, SERVER_OPTIONS } from '@limpet/http-proxy'
import type { Address } from '../config.ts'
import type { Gateway } from '../gateway.ts'
import type { PoolStats } from '../pool-stats.ts'
import { AdminError } from './admin-error.ts'
import { admit, admitChange } from './admission.ts'
import { readJson } from './json-body.ts'

interface Answer {
  readonly statusCode: number
  readonly body?: unknown
}

/** What an admin request is about. */
interface Call {
  readonly request: IncomingMessage
  readonly pool: string
  readonly id: string
}

type Handler = (call: Call) => Answer | Promise<Answer>

/** The port by which an operator looks at a gateway, and changes its pools while it runs. */
export class Admin {
  readonly #gateway: Gateway
  readonly #stats: PoolStats
  readonly #token: string | undefined
  readonly #server: Server

  private constructor(gateway: Gateway, stats: PoolStats, token: string | undefined) {
    this.#gateway = gateway
    this.#stats = stats
    this.#token = token
    this.#server = guardServer(
      createServer({ ...SERVER_OPTIONS, requestTimeout: 10_000 }, (request, response) => {
        this.#handle(request).then(
          answer => send(response, answer),
          (error: unknown) => send(response, toldBy(error)),
        )
      }),
    )
  }

  /** @throws Error when the port cannot be had */
  static async start(
    gateway: Gateway,
    stats: PoolStats,
    { host, port, token }: Address & { readonly token: string | undefined },
  ): Promise<Admin> {
    const admin = new Admin(gateway, stats, token)
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
    this.#server.closeAllConnections()
    await closed
  }

  async #handle(request: IncomingMessage): Promise<Answer> {
    admit(request, this.#token)
    const [path = ''] = (request.url ?? '').split('?', 1)
    const [, pool = '', , id = ''] = /^\/pools\/([\w-]+)(\/backends)?(?:\/([\w-]+))?$/.exec(path) ?? []
    const handlers = this.#handlersOf(path)
    if (handlers === undefined) throw new AdminError(404, 'NOT_FOUND', 'there is nothing here')
    const handler = handlers[request.method ?? '']
    if (handler === undefined) {
      const allow = Object.keys(handlers).join(', ')
      throw new AdminError(405, 'METHOD_NOT_ALLOWED', `this takes ${allow}`, { allow })
    }
    if (request.method !== 'GET') admitChange(request, this.#token)
    return handler({ request, pool, id })
  }

  #handlersOf(path: string): Readonly<Record<string, Handler>> | undefined {
    if (path === '/healthz') return { GET: () => this.#health() }
    if (path === '/stats.json') return { GET: () => ({ statusCode: 200, body: this.#statsBody() }) }
    if (/^\/pools\/[\w-]+\/backends$/.test(path)) return { POST: async call => this.#add(call) }
    if (/^\/pools\/[\w-]+\/backends\/[\w-]+$/.test(path))
      return { PATCH: async call => this.#change(call), DELETE: call => this.#remove(call) }
    return undefined
  }

  #health(): Answer {
    const { isClosing } = this.#gateway
    return { statusCode: isClosing ? 503 : 200, body: { status: isClosing ? 'closing' : 'ok' } }
  }

  #statsBody(): object {
    const rows = [...this.#gateway.pools.values()].map(({ name, pool }) => [name, this.#stats.row(pool)])
    return {
      gateway: { uptimeMs: Math.round(process.uptime() * 1000), closing: this.#gateway.isClosing },
      pools: Object.fromEntries(rows) as object,
    }
  }

  async #add({ request, pool: name }: Call): Promise<Answer> {
    const pool = this.#pool(name)
    const backend = await readJson(request)
    if (typeof backend['id'] === 'string' && pool.find(backend['id']) !== undefined)
      throw new AdminError(409, 'CONFLICT', `there is a backend ${backend['id']}`)
    const view = pool.add(backend as { id: string; url: string })
    return { statusCode: 201, body: this.#stats.backendRow(pool, view.backend.id) }
  }

  async #change({ request, pool: name, id }: Call): Promise<Answer> {
    const pool = this.#pool(name)
    const body = await readJson(request)
    // It may have left while the body came.
    const view = pool.find(id)
    if (view === undefined) throw new AdminError(404, 'NOT_FOUND', `there is no backend ${id}`)
    const { state, weight, ...rest } = body
    const [unknown] = Object.keys(rest)
    if (unknown !== undefined)
      throw new AdminError(400, 'BAD_REQUEST', `${unknown} is not known; known are state, weight`)
    if (state === undefined && weight === undefined)
      throw new AdminError(400, 'BAD_REQUEST', 'nothing to change: it takes state, weight or both')
    const before = view.weight
    // All of it or nothing: the first throws for what is wrong, and the second then undoes.
    if (weight !== undefined) pool.setWeight(id, weight as number)
    try {
      if (state !== undefined) pool.setState(id, state as 'ready')
    } catch (error) {
      pool.setWeight(id, before)
      throw error
    }
    return { statusCode: 200, body: this.#stats.backendRow(pool, id) }
  }

  #remove({ pool: name, id }: Call): Answer {
    if (!this.#pool(name).remove(id)) throw new AdminError(404, 'NOT_FOUND', `there is no backend ${id}`)
    return { statusCode: 204 }
  }

  #pool(name: string): Pool {
    const served = this.#gateway.pools.get(name)
    if (served === undefined) throw new AdminError(404, 'NOT_FOUND', `there is no pool ${name}`)
    return served.pool
  }
}

interface Told extends Answer {
  readonly headers?: Readonly<Record<string, string>>
}

function toldBy(error: unknown): Told {
  if (error instanceof AdminError) {
    const { statusCode, code, message, headers } = error
    return { statusCode, body: { code, message }, headers }
  }
  if (error instanceof OptionError)
    return { statusCode: 400, body: { code: 'BAD_REQUEST', message: error.message } }
  return { statusCode: 500, body: { code: 'INTERNAL', message: 'something went wrong' } }
}

function send(response: ServerResponse, { statusCode, body, headers }: Told): void {
  if (response.headersSent) return
  response.writeHead(statusCode, {
    ...headers,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(body !== undefined && { 'content-type': 'application/json' }),
    // What was not read of a body that was refused is not to be taken for the next request.
    ...(statusCode >= 400 && { connection: 'close' }),
  })
  response.end(body === undefined ? undefined : JSON.stringify(body))
}

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Affinity } from '@limpet/core'
import { admitted, type Authorize } from './admission.ts'
import type { StatsResponse } from './document.ts'
import { OperatorPage, refusal } from './operator-page.ts'
import { refusalOf } from './page-error.ts'
import { affinitySource } from './stats-source.ts'

export interface StatsPageOptions {
  /** Decides which requests see the page and change backends. @default requests of this machine alone */
  readonly authorize?: Authorize
}

/** The parts of a Fastify server that the plugin uses. */
export interface FastifyLike {
  hasContentTypeParser(type: string): boolean
  addContentTypeParser(
    type: string,
    options: { parseAs: 'string'; bodyLimit: number },
    parser: (request: unknown, body: string, done: (error: null, body: string) => void) => void,
  ): unknown
  route(options: {
    method: ('GET' | 'POST')[]
    url: string
    handler: (request: FastifyRequestLike, reply: FastifyReplyLike) => Promise<unknown>
  }): unknown
}

export interface FastifyRequestLike {
  readonly raw: IncomingMessage
  readonly body: unknown
}

export interface FastifyReplyLike {
  code(statusCode: number): unknown
  header(name: string, value: string): unknown
  send(body: string): unknown
}

/** The parts of a Koa context that the middleware uses. */
export interface KoaLike {
  readonly req: IncomingMessage
  readonly request: object
  status: number
  body: unknown
  set(name: string, value: string): void
}

/** The page for each kind of server. */
export interface StatsPage {
  /** For node:http and Express: `app.use('/limpet', page)`. */
  (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void): void
  /** For Fastify: `app.register(page.fastify, { prefix: '/limpet' })`. */
  readonly fastify: (fastify: FastifyLike) => Promise<void>
  /** For Koa, at the path where it is mounted: all requests that reach it are the page's. */
  readonly koa: (context: KoaLike) => Promise<void>
}

/**
 * The stats page of one pool or several, with the operators' actions.
 * @param affinities those that the adapters use
 */
export function statsPage(
  affinities: Affinity | readonly Affinity[],
  { authorize }: StatsPageOptions = {},
): StatsPage {
  const operatorPage = new OperatorPage(affinitySource('pool' in affinities ? [affinities] : affinities))

  async function respond(request: IncomingMessage, parsed: unknown): Promise<StatsResponse> {
    try {
      return await operatorPage.respondTo(request, await admitted(request, authorize), parsed)
    } catch (error) {
      const refused = refusalOf(error)
      if (refused === undefined) throw error
      return refusal(refused)
    }
  }

  function handler(
    request: IncomingMessage & { readonly body?: unknown },
    response: ServerResponse,
    next?: (error?: unknown) => void,
  ): void {
    respond(request, request.body).then(
      ({ statusCode, headers, body }) => {
        response.writeHead(statusCode, closingUnread(request, headers)).end(body)
      },
      (error: unknown) => {
        if (next !== undefined) next(error)
        else response.writeHead(500, { connection: 'close' }).end('Internal Server Error')
      },
    )
  }

  async function fastify(server: FastifyLike): Promise<void> {
    if (!server.hasContentTypeParser(FORM_TYPE))
      server.addContentTypeParser(
        FORM_TYPE,
        { parseAs: 'string', bodyLimit: 8_192 },
        (_request, body, done) => done(null, body),
      )
    server.route({
      method: ['GET', 'POST'],
      url: '/',
      async handler(request, reply) {
        const { statusCode, headers, body } = await respond(request.raw, request.body)
        reply.code(statusCode)
        for (const [name, value] of Object.entries(headers)) reply.header(name, value)
        return reply.send(body)
      },
    })
  }

  async function koa(context: KoaLike): Promise<void> {
    const parsed = 'body' in context.request ? context.request.body : undefined
    const { statusCode, headers, body } = await respond(context.req, parsed)
    context.status = statusCode
    for (const [name, value] of Object.entries(closingUnread(context.req, headers))) context.set(name, value)
    context.body = body
  }

  return Object.assign(handler, { fastify, koa })
}

const FORM_TYPE = 'application/x-www-form-urlencoded'

/** The unread rest of a refused body must not be parsed as the next request. */
function closingUnread(
  { complete, httpVersionMajor }: IncomingMessage,
  headers: Readonly<Record<string, string>>,
): Record<string, string> {
  return { ...headers, ...(!complete && httpVersionMajor === 1 && { connection: 'close' }) }
}

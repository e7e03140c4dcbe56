import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { runBackend } from '@limpet-example/demo/process'
import { Feed } from './feed.ts'
import { page } from './page.ts'

/*
 * One server for events, started as `node backend.ts events1 9001`. A visitor's events are in its own memory, so a stream
 * that comes back to another server has missed them: the kind of application that needs affinity.
 *
 *   GET  /          the page
 *   GET  /events    the visitor's stream, from Last-Event-ID on
 *   POST /events    text=…    adds an event to it; 201, { backend, id }
 */

const MAX_BODY = 1_000

const [id = 'events', port = '0'] = process.argv.slice(2)
const feeds = new Map<string, Feed>()

const server = createServer((request, response) => {
  answer(request, response).catch(() => response.destroy())
})

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, headers } = request
  switch (`${method} ${request.url}`) {
    case 'GET /':
      response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(page)
      break
    case 'GET /events':
      feedOf(request, response).stream(response, headers['last-event-id']?.toString())
      break
    case 'POST /events': {
      const isShort = Number(headers['content-length'] ?? Infinity) <= MAX_BODY
      const said = isShort ? new URLSearchParams(await text(request)).get('text') : null
      if (said === null) sendJson(response, 400, { error: `text=… of at most ${MAX_BODY} bytes` })
      else sendJson(response, 201, { backend: id, id: feedOf(request, response).add(said) })
      break
    }
    default:
      sendJson(response, 404, { error: 'not found' })
  }
}

/** The feed of the visitor, or a new one with a cookie. */
function feedOf({ headers }: IncomingMessage, response: ServerResponse): Feed {
  const [, visitor = randomUUID()] = /(?:^|; *)visitor=([^;]*)/.exec(headers.cookie ?? '') ?? []
  const feed = feeds.get(visitor) ?? new Feed(id)
  if (!feeds.has(visitor))
    response.setHeader('Set-Cookie', `visitor=${visitor}; Path=/; HttpOnly; SameSite=Lax`)
  feeds.set(visitor, feed)
  return feed
}

function sendJson(response: ServerResponse, status: number, value: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(`${JSON.stringify(value)}\n`)
}

process.on('SIGUSR2', () => process.send?.({ drain: true }))
runBackend(server, port)

import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { runBackend } from '@limpet-example/demo/process'
import { page } from './page.ts'

/*
 * One shop, started as `node backend.ts shop1 9001`. It keeps every cart in its own memory, so a visitor who comes
 * to another shop finds an empty one: the kind of application that needs affinity. It knows nothing of a gateway.
 */

const [id = 'shop', port = '0'] = process.argv.slice(2)
const carts = new Map<string, string[]>()

const server = createServer((request, response) => {
  answer(request, response).catch(() => response.destroy())
})

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const session = /(?:^|; *)shop_session=([^;]*)/.exec(request.headers.cookie ?? '')?.[1] ?? ''
  const items = carts.get(session) ?? []
  const method = request.method === 'HEAD' ? 'GET' : request.method
  const [path] = (request.url ?? '').split('?')
  switch (`${method} ${path}`) {
    case 'GET /':
      send(response, 200, 'text/html', page(id, process.pid, items))
      break
    case 'GET /cart':
      sendJson(response, 200, { backend: id, items })
      break
    case 'POST /cart/items': {
      const item = itemIn(await readBody(request), request.headers['content-type'])
      if (item === undefined) {
        sendJson(response, 400, { error: 'a name of 1 to 60 characters, as {"name":"apple"} or name=apple' })
        return
      }
      if (!carts.has(session)) openCart(response, items)
      items.push(item)
      // A browser's form goes back to the page; relative, because a gateway may have put us under some path.
      if (request.headers.accept?.includes('text/html') === true)
        response.writeHead(303, { Location: '..' }).end()
      else sendJson(response, 201, { backend: id, items })
      break
    }
    case 'GET /health':
      send(response, 200, 'text/plain', 'ok\n')
      break
    default:
      sendJson(response, 404, { error: 'not found' })
  }
}

function openCart(response: ServerResponse, items: string[]): void {
  const session = randomUUID()
  carts.set(session, items)
  response.setHeader('Set-Cookie', `shop_session=${session}; Path=/; HttpOnly; SameSite=Lax`)
}

/** No item is longer than this in any spelling; what comes behind is not even read. */
const MAX_BODY = 1_000

async function readBody(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) {
    body += String(chunk)
    if (body.length > MAX_BODY) return ''
  }
  return body
}

function itemIn(body: string, type = ''): string | undefined {
  const name = type.startsWith('application/json') ? nameInJson(body) : new URLSearchParams(body).get('name')
  const item = typeof name === 'string' ? name.trim() : ''
  return item.length > 0 && item.length <= 60 ? item : undefined
}

function nameInJson(body: string): unknown {
  try {
    return (JSON.parse(body) as { name?: unknown } | null)?.name
  } catch {
    return undefined
  }
}

function sendJson(response: ServerResponse, status: number, value: object): void {
  send(response, status, 'application/json', `${JSON.stringify(value)}\n`)
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  const length = Buffer.byteLength(body)
  const headers = {
    'Content-Type': `${type}; charset=utf-8`,
    'Content-Length': length,
    'Cache-Control': 'no-store',
  }
  response.writeHead(status, headers).end(body)
}

process.on('SIGUSR2', () => process.send?.({ drain: true }))
runBackend(server, port)

import { createHash, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { WebSocketServer } from 'ws'

/** An application with a login form, uploads and a WebSocket. It can forget its users, as a server that is killed does. */
export interface MemberApp {
  readonly port: number
  /** Posts of the login form with a right token. */
  readonly logins: number
  forget(): void
  /** Cuts all WebSockets. */
  cut(): void
}

export async function startMemberApp(): Promise<MemberApp> {
  const members = new Map<string, string>()
  let logins = 0
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  })
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket, { socket: { remoteAddress } }) => {
    socket
      .on('error', () => {})
      .on('message', (data: Buffer) => {
        socket.send(JSON.stringify({ echo: data.toString(), address: remoteAddress }))
      })
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece as Buffer)
    const body = Buffer.concat(pieces)
    const session = /(?:^|; )sid=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1] ?? ''
    const name = members.get(session)
    switch (`${request.method} ${request.url}`) {
      case 'GET /login':
        response.end('<form method="post"><input name="csrf" value="t0k3n"></form>')
        break
      case 'POST /login': {
        const form = new URLSearchParams(body.toString())
        if (form.get('csrf') !== 't0k3n') {
          response.writeHead(400).end('no token')
          return
        }
        logins += 1
        const fresh = randomUUID()
        members.set(fresh, form.get('user') ?? '')
        response
          .writeHead(303, { Location: '/account', 'Set-Cookie': `sid=${fresh}; Path=/; HttpOnly` })
          .end()
        break
      }
      case 'GET /account':
        if (name === undefined) response.writeHead(401).end('log in')
        else response.end(`<p>Hello ${name}</p>`)
        break
      case 'PUT /file':
        response.end(JSON.stringify({ sha256: createHash('sha256').update(body).digest('hex') }))
        break
      case 'POST /form': {
        const isForm = body.includes('name="photo"; filename="me.jpg"') && body.includes('image/jpeg')
        response.writeHead(isForm ? 200 : 400).end()
        break
      }
      case 'GET /address':
        response.end(JSON.stringify({ address: request.socket.remoteAddress }))
        break
      case 'GET /evil':
        response.end('\u001b[2J; echo')
        break
      case 'GET /evil-redirect':
        response.writeHead(302, { Location: 'evil:\u009b\u00a0' }).end()
        break
      case 'GET /request':
        response.setHeader('X-Request', randomUUID()).end()
        break
      case 'GET /loop':
        response.writeHead(302, { Location: '/loop' }).end()
        break
      case 'GET /away':
        response.writeHead(302, { Location: 'http://192.0.2.7/' }).end()
        break
      default:
        response.writeHead(404).end()
    }
  }

  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  onTestFinished(() => {
    for (const socket of sockets.clients) socket.terminate()
    server.closeAllConnections()
    server.close()
  })
  return {
    port: (server.address() as AddressInfo).port,
    get logins() {
      return logins
    },
    forget: () => members.clear(),
    cut() {
      for (const socket of sockets.clients) socket.terminate()
    },
  }
}

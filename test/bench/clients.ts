import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { COOKIES, HEADERS } from './browser.ts'

/** So many at once: a server's backlog is short. */
const WAVE = 100

/** Many clients that say something once and then hold their connections. They are bare sockets, to be light. */
export class Clients {
  readonly #port: number
  readonly #sockets: Socket[] = []

  constructor(port: number) {
    this.#port = port
  }

  /** Opens `count` more, each of which asks for `path`. */
  async ask(count: number, path: string): Promise<void> {
    await this.#inWaves(count, socket => {
      socket.write(head(path))
    })
  }

  /** Opens `count` more, each of which has a tunnel then. */
  async openTunnels(count: number): Promise<void> {
    const handshake = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    }
    await this.#inWaves(count, async socket => {
      socket.write(head('/api/live', handshake))
      const [answer] = (await once(socket, 'data')) as [Buffer]
      const text = answer.toString('latin1')
      if (!text.startsWith('HTTP/1.1 101 ')) throw new Error(`no tunnel: ${text}`)
    })
  }

  /** Hangs up, all at once. */
  async leave(): Promise<void> {
    const sockets = this.#sockets.splice(0)
    await Promise.all(
      sockets.map(async socket => {
        socket.destroy()
        await once(socket, 'close')
      }),
    )
  }

  async #inWaves(count: number, begin: (socket: Socket) => Promise<void> | void): Promise<void> {
    for (let left = count; left > 0; left -= WAVE) {
      const wave = Array.from({ length: Math.min(WAVE, left) }, async () => {
        const socket = connect({ port: this.#port, host: '127.0.0.1' })
        this.#sockets.push(socket)
        await once(socket, 'connect')
        await begin(socket)
      })
      await Promise.all(wave)
    }
  }
}

function head(path: string, more: Readonly<Record<string, string>> = {}): string {
  const fields = { host: 'shop.example.com', ...HEADERS, cookie: COOKIES, ...more }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`
}

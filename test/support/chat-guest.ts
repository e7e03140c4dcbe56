import { EventEmitter, once } from 'node:events'
import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'

interface Message {
  /** The backend of the room, and the number of members. */
  readonly backend?: string
  readonly here?: number
  readonly text?: string
}

/** A guest in a room of `examples/chat`, with a cookie jar of its own. */
export class ChatGuest {
  readonly #url: string
  readonly #cookies: string
  readonly #news = new EventEmitter()
  #heard: Message[] = []
  #socket: WebSocket | undefined
  #setCookies: readonly string[] = []

  constructor(port: number, room: string, cookies: string) {
    this.#url = `ws://127.0.0.1:${port}/rooms/${room}`
    this.#cookies = cookies
    onTestFinished(() => this.#socket?.terminate())
  }

  /** Comes in, or comes back. Settles with the name of the backend that has the room. */
  async enter(): Promise<string> {
    this.#heard = []
    const socket = new WebSocket(this.#url, { headers: { Cookie: this.#cookies } })
    this.#socket = socket
    socket.once('upgrade', ({ headers }) => (this.#setCookies = headers['set-cookie'] ?? []))
    socket.on('message', (data: Buffer) => {
      this.#heard.push(JSON.parse(data.toString()) as Message)
      this.#news.emit('message')
    })
    await once(socket, 'open', WITHIN())
    // A socket that breaks later is closed, which is what the tests look at.
    socket.on('error', () => {})
    return (await this.#hears(({ backend }) => backend !== undefined)).backend ?? ''
  }

  get isIn(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN
  }

  /** Cookies from the gateway or the backend. */
  get setCookies(): readonly string[] {
    return this.#setCookies
  }

  say(text: string): void {
    this.#socket?.send(text)
  }

  async hears(text: string): Promise<void> {
    await this.#hears(message => message.text === text)
  }

  /** Settles when so many are in the room. */
  async sees(count: number): Promise<void> {
    await this.#hears(({ here }) => here === count)
  }

  /** Settles when the connection has been ended by the other side. */
  async thrownOut(): Promise<void> {
    if (this.#socket !== undefined && this.#socket.readyState !== WebSocket.CLOSED)
      await once(this.#socket, 'close', WITHIN())
  }

  async #hears(isIt: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const found = this.#heard.find(message => isIt(message))
      if (found !== undefined) return found
      await once(this.#news, 'message', WITHIN())
    }
  }
}

const WITHIN = () => ({ signal: AbortSignal.timeout(5_000) })

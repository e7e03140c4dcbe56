import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { BackendOptions } from '@limpet/core'
import { freePort } from './free-port.ts'

/** A shop's response: its id, the number of items in the visitor's cart, and the length of the request's body. */
export interface ShopAnswer {
  readonly id: string
  readonly items: number
  readonly bytes: number
}

const SCRIPT = fileURLToPath(new URL('shop.ts', import.meta.url))

/** `shop.ts` in a process of its own, so that it can die, hang and come back. */
export class BackendProcess {
  readonly id: string
  /** The X-Request-Id of every request that it has begun with, in order. */
  readonly begun: string[] = []
  listening: Promise<unknown>
  #child: ChildProcess | undefined
  #exited: Promise<unknown> = Promise.resolve()
  #port = 0

  constructor(id: string) {
    this.id = id
    this.listening = this.#start()
  }

  get port(): number {
    return this.#port
  }

  get options(): BackendOptions {
    return { id: this.id, url: `http://127.0.0.1:${this.#port}` }
  }

  /** `kill -9`: no farewell. Settles when it is gone and all that it said has been read. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.#exited
  }

  /** It stays alive, with its connections, and does nothing. */
  freeze(): void {
    this.#child?.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child?.kill('SIGCONT')
  }

  /** It lives and remembers, and its port is closed, with all connections; until `open`. */
  async close(): Promise<void> {
    await this.#tell('close')
  }

  async open(): Promise<void> {
    await this.#tell('open')
  }

  /** Another process on the same port, which remembers nothing. */
  async restart(): Promise<void> {
    await this.kill()
    this.listening = this.#start()
    await this.listening
  }

  async #tell(what: 'close' | 'open'): Promise<void> {
    const child = this.#child
    if (child === undefined) throw new Error('no process')
    const done = once(child, 'message')
    child.send(what)
    await done
  }

  async #start(): Promise<void> {
    if (this.#port === 0) this.#port = await freePort()
    const child = spawn(process.execPath, [SCRIPT, this.id, String(this.#port)], {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    })
    this.#child = child
    this.#exited = once(child, 'close')
    const { stdout } = child
    if (stdout === null) throw new Error('no pipe to the child')
    const lines = createInterface(stdout)
    // The first line says that it listens.
    await once(lines, 'line')
    lines.on('line', (request: string) => this.begun.push(request))
  }
}

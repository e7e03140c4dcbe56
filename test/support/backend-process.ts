import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { BackendOptions } from '@limpet/core'
import { onTestFinished } from 'vitest'

/** What a shop answers: who it is, how many items are in the visitor's cart, and how long the request's body was. */
export interface ShopAnswer {
  readonly id: string
  readonly items: number
  readonly bytes: number
}

/** A backend that can die: `shop.ts` in a process of its own, killed at the latest when the test ends. */
export async function startBackendProcess(id: string): Promise<BackendProcess> {
  const script = fileURLToPath(new URL('shop.ts', import.meta.url))
  const child = spawn(process.execPath, [script, id], { stdio: ['ignore', 'pipe', 'inherit'] })
  const backend = new BackendProcess(id, child)
  onTestFinished(() => backend.kill())
  await backend.listening
  return backend
}

export class BackendProcess {
  readonly id: string
  /** The X-Request-Id of every request that it has begun with, in order. */
  readonly begun: string[] = []
  readonly listening: Promise<unknown>
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>
  #port = 0

  constructor(id: string, child: ChildProcess) {
    this.id = id
    this.#child = child
    this.#exited = once(child, 'close')
    const { stdout } = child
    if (stdout === null) throw new Error('no pipe to the child')
    const lines = createInterface(stdout)
    this.listening = once(lines, 'line').then(([line]) => {
      this.#port = Number(String(line).replace('port ', ''))
      return lines.on('line', (request: string) => this.begun.push(request))
    })
  }

  get options(): BackendOptions {
    return { id: this.id, url: `http://127.0.0.1:${this.#port}` }
  }

  /** `kill -9`: no farewell. Settles when it is gone and all that it said has been read. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exited
  }

  /** It stays alive, with its connections, and does nothing. */
  freeze(): void {
    this.#child.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child.kill('SIGCONT')
  }
}

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { BackendOptions } from '@limpet/core'
import type { GatewayOptions } from '../contract/harness.ts'
import type { BackendProcess } from '../support/shop-process.ts'
import { type DrilledGateway, type Found, type Settings, SETTINGS } from './drilled-gateway.ts'

/** Commands to a gateway. */
export type Command =
  | { readonly what: 'ready' | 'remove'; readonly id: string }
  | { readonly what: 'drain'; readonly id: string; readonly deadlineMs: number }
  | { readonly what: 'add'; readonly backend: BackendOptions }
  | { readonly what: 'healthy' }

interface Reply {
  readonly health?: Found
  readonly number?: number
  readonly result?: unknown
  readonly error?: string
}

/** A gateway with limpet on one adapter. */
export class LimpetGateway implements DrilledGateway {
  readonly name: string
  readonly port: number
  readonly found: Found[] = []
  readonly #child: ChildProcess
  #count = 0

  private constructor(name: string, port: number, child: ChildProcess) {
    this.name = name
    this.port = port
    this.#child = child
    child.setMaxListeners(100).on('message', ({ health }: Reply) => {
      if (health !== undefined) this.found.push(health)
    })
  }

  static async start(
    adapter: string,
    shops: readonly BackendProcess[],
    settings: Settings = SETTINGS,
  ): Promise<LimpetGateway> {
    const { checkInterval, checkTimeout, fall, rise, connectTimeout, responseTimeout, slowStart } = settings
    const options: GatewayOptions = {
      backends: shops.map(shop => shop.options),
      secrets: ['a-secret-of-the-drill-0123456789abcdef'],
      affinity: [{ cookie: { maxIdle: '30m' } }],
      slowStart,
      passive: { fall: 3, retryAfter: '1s' },
      timeouts: { connect: connectTimeout, response: responseTimeout },
      health: { path: '/health', interval: checkInterval, timeout: checkTimeout, fall, rise },
    }
    const child = fork(new URL('gateway.ts', import.meta.url), [adapter, JSON.stringify(options)])
    const [{ port }] = (await once(child, 'message')) as [{ port: number }]
    return new LimpetGateway(`limpet ${adapter}`, port, child)
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  async drain(id: string, deadlineMs: number): Promise<void> {
    await this.#tell({ what: 'drain', id, deadlineMs })
  }

  async ready(id: string): Promise<void> {
    await this.#tell({ what: 'ready', id })
  }

  async add(shop: BackendProcess): Promise<void> {
    await this.#tell({ what: 'add', backend: shop.options })
  }

  async remove(id: string): Promise<void> {
    await this.#tell({ what: 'remove', id })
  }

  async healthy(): Promise<readonly string[]> {
    return (await this.#tell({ what: 'healthy' })) as readonly string[]
  }

  async stop(): Promise<void> {
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }

  async #tell(command: Command): Promise<unknown> {
    this.#count += 1
    const number = this.#count
    const { promise, resolve } = Promise.withResolvers<Reply>()
    const note = (reply: Reply): void => {
      if (reply.number === number) resolve(reply)
    }
    this.#child.on('message', note)
    this.#child.send({ number, command })
    const { result, error } = await promise
    this.#child.off('message', note)
    if (error !== undefined) throw new Error(`${this.name}: ${error}`)
    return result
  }
}

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { BackendProcess } from '../support/shop-process.ts'
import { ask } from '../support/http-client.ts'
import { type DrilledGateway, type Found, type Settings, SETTINGS } from './drilled-gateway.ts'

const PROGRAM = fileURLToPath(new URL('../../packages/gateway/dist/main.js', import.meta.url))

interface Line {
  readonly event: string
  readonly time: number
  readonly port?: number
  readonly adminPort?: number
  readonly backend?: string
  readonly healthy?: boolean
}

interface Row {
  readonly id: string
  readonly healthy: boolean
  readonly inFlight: number
}

/** The `limpet` command, told by its admin port. */
export class CommandGateway implements DrilledGateway {
  readonly name: string
  readonly found: Found[] = []
  readonly #child: ChildProcess
  readonly #folder: string
  #port = 0
  #adminPort = 0

  private constructor(name: string, child: ChildProcess, folder: string) {
    this.name = name
    this.#child = child
    this.#folder = folder
  }

  static async start(
    adapter: string,
    shops: readonly BackendProcess[],
    settings: Settings = SETTINGS,
  ): Promise<CommandGateway> {
    const { checkInterval, checkTimeout, fall, rise, connectTimeout, responseTimeout, slowStart } = settings
    const folder = mkdtempSync(join(tmpdir(), 'drill-limpet-'))
    const file = join(folder, 'limpet.json')
    const web = {
      backends: shops.map(shop => shop.options),
      affinity: [{ cookie: { maxIdle: '30m' } }],
      slowStart: ms(slowStart),
      passive: { fall: 3, retryAfter: '1s' },
      timeouts: { connect: ms(connectTimeout), response: ms(responseTimeout) },
      health: { path: '/health', interval: ms(checkInterval), timeout: ms(checkTimeout), fall, rise },
    }
    const secrets = ['a-secret-of-the-drill-0123456789abcdef']
    const config = {
      listen: '127.0.0.1:0',
      adapter,
      secrets,
      pools: { web },
      admin: { listen: '127.0.0.1:0' },
    }
    writeFileSync(file, JSON.stringify(config))
    const child = spawn(process.execPath, [PROGRAM, '--config', file], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const gateway = new CommandGateway(`command ${adapter}`, child, folder)
    await gateway.#read(child)
    return gateway
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  get port(): number {
    return this.#port
  }

  async drain(id: string, deadlineMs: number): Promise<void> {
    await this.#tell('PATCH', `/${id}`, { state: 'drain' })
    await delay(deadlineMs)
    await this.#tell('PATCH', `/${id}`, { state: 'maint' })
    // Requests in flight there end there; stopping it sooner would cut them off.
    while (((await this.#rows()).find(row => row.id === id)?.inFlight ?? 0) > 0) await delay(10)
  }

  async hold(id: string): Promise<void> {
    await this.#tell('PATCH', `/${id}`, { state: 'drain' })
  }

  async ready(id: string): Promise<void> {
    await this.#tell('PATCH', `/${id}`, { state: 'ready' })
  }

  async add(shop: BackendProcess): Promise<void> {
    await this.#tell('POST', '', shop.options)
  }

  async remove(id: string): Promise<void> {
    await this.#tell('DELETE', `/${id}`)
  }

  async healthy(): Promise<readonly string[]> {
    return (await this.#rows()).flatMap(row => (row.healthy ? row.id : []))
  }

  async stop(): Promise<void> {
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #read(child: ChildProcess): Promise<void> {
    const { stdout } = child
    if (stdout === null) throw new Error('no pipe to the child')
    const { promise, resolve } = Promise.withResolvers<undefined>()
    createInterface(stdout).on('line', text => {
      const { event, time, port = 0, adminPort = 0, backend = '', healthy = false } = JSON.parse(text) as Line
      if (event === 'health_changed') this.found.push({ backend, healthy, atMs: time })
      if (event !== 'listening') return
      this.#port = port
      this.#adminPort = adminPort
      resolve(undefined)
    })
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`${this.name} ended with ${String(code)}`)
    })
    await Promise.race([promise, ended])
  }

  async #rows(): Promise<readonly Row[]> {
    const { text } = await ask(this.#adminPort, { path: '/stats.json' })
    const { pools } = JSON.parse(text) as { pools: { web: { backends: readonly Row[] } } }
    return pools.web.backends
  }

  async #tell(method: string, path: string, body?: object): Promise<void> {
    const { status, text } = await ask(this.#adminPort, {
      method,
      path: `/pools/web/backends${path}`,
      headers: { 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    if (status >= 300) throw new Error(`${this.name}: ${method} ${path}: ${status} ${text}`)
  }
}

/** A duration of a file has a unit. */
function ms(value: number): string {
  return `${value}ms`
}

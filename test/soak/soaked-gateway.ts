import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { ask } from '../support/http-client.ts'
import type { FaultyBackend } from './faulty-backend.ts'

const PROGRAM = fileURLToPath(new URL('../../packages/gateway/dist/main.js', import.meta.url))
const PROBE = fileURLToPath(new URL('heap-probe.ts', import.meta.url))

/** Resources that the process holds at one moment. */
export interface Held {
  /** Bytes, after the garbage was collected. */
  readonly heap: number
  /** Open files and sockets. */
  readonly descriptors: number
  readonly inFlight: number
}

interface Line {
  readonly event: string
  readonly port?: number
  readonly adminPort?: number
}

/** The `limpet` command with one adapter, in a process of its own that can be told to collect its garbage. */
export class SoakedGateway {
  readonly #child: ChildProcess
  readonly #folder: string
  readonly #exited: Promise<unknown[]>
  /** Events of the log, and Node's warnings, that must not come. */
  readonly uncaught: string[] = []
  port = 0
  #adminPort = 0

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child
    this.#folder = folder
    this.#exited = once(child, 'exit')
  }

  static async start(adapter: string, backends: readonly FaultyBackend[]): Promise<SoakedGateway> {
    const folder = mkdtempSync(join(tmpdir(), 'limpet-soak-'))
    const file = join(folder, 'limpet.json')
    const web = {
      backends: backends.map(({ options }) => options),
      affinity: [{ cookie: {} }, { learn: { cookie: 'APP' } }],
      passive: { fall: 3, retryAfter: '1s' },
      timeouts: { connect: '1s', response: '2s' },
      health: { interval: '500ms', timeout: '400ms', fall: 2, rise: 1 },
    }
    const config = {
      listen: '127.0.0.1:0',
      adapter,
      secrets: ['a-secret-of-the-soak-0123456789abcdef'],
      pools: { web },
      admin: { listen: '127.0.0.1:0' },
      limits: { sendTimeout: '2s', keepAlive: '5s' },
    }
    writeFileSync(file, JSON.stringify(config))
    const child = spawn(process.execPath, ['--expose-gc', '--import', PROBE, PROGRAM, '--config', file], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, SOAK_HEAP_FILE: join(folder, 'heap') },
    })
    const gateway = new SoakedGateway(child, folder)
    await gateway.#read()
    return gateway
  }

  async held(): Promise<Held> {
    const { pools } = JSON.parse((await ask(this.#adminPort, { path: '/stats.json' })).text) as {
      pools: { web: { inFlight: number } }
    }
    const heap = await this.#heap()
    const descriptors = readdirSync(`/proc/${this.#child.pid}/fd`).length
    return { heap, descriptors, inFlight: pools.web.inFlight }
  }

  async tell(id: string, state: string): Promise<void> {
    await ask(this.#adminPort, {
      method: 'PATCH',
      path: `/pools/web/backends/${id}`,
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ state }),
    })
  }

  /** @returns the exit code */
  async stop(): Promise<unknown> {
    this.#child.kill('SIGTERM')
    const [code, signal] = await this.#exited
    rmSync(this.#folder, { recursive: true, force: true })
    return code ?? signal
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  async #heap(): Promise<number> {
    const file = join(this.#folder, 'heap')
    writeFileSync(file, '')
    const watcher = watch(file)
    const written = once(watcher, 'change')
    this.#child.kill('SIGUSR2')
    for (;;) {
      const text = readFileSync(file, 'utf8')
      if (text.endsWith('\n')) {
        watcher.close()
        return Number(text)
      }
      await Promise.race([written, once(AbortSignal.timeout(50), 'abort')])
    }
  }

  async #read(): Promise<void> {
    const { stdout, stderr } = this.#child
    if (stdout === null || stderr === null) throw new Error('no pipe to the child')
    const { promise, resolve } = Promise.withResolvers<undefined>()
    createInterface(stdout).on('line', text => {
      const { event, port = 0, adminPort = 0 } = JSON.parse(text) as Line
      if (event === 'uncaught') this.uncaught.push(text)
      if (event !== 'listening') return
      this.port = port
      this.#adminPort = adminPort
      resolve(undefined)
    })
    createInterface(stderr).on('line', text => {
      console.error(text)
      // Too many listeners on a socket, for example.
      if (text.includes('Warning: ')) this.uncaught.push(text)
    })
    const ended = this.#exited.then(([code]) => {
      throw new Error(`limpet ended with ${String(code)}`)
    })
    await Promise.race([promise, ended])
  }
}

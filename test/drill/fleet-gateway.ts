import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('../../packages/gateway/dist/main.js', import.meta.url))
const POLL_MS = 20

interface Line {
  readonly event: string
  /** Milliseconds since the epoch. */
  readonly time: number
  readonly state?: string
  readonly backend?: string
  readonly healthy?: boolean
  readonly reason?: string
}

/** The `limpet` command on a fixed port, which can die, end and come back. */
export class FleetGateway {
  readonly port: number
  /** Lines of the log, without those of requests. */
  readonly log: Line[] = []
  readonly #file: string
  readonly #environment: NodeJS.ProcessEnv
  #child: ChildProcess | undefined

  constructor(port: number, file: string, environment: NodeJS.ProcessEnv) {
    this.port = port
    this.#file = file
    this.#environment = environment
  }

  /** Settles when it listens. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [PROGRAM, '--config', this.#file], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...this.#environment },
    })
    this.#child = child
    const { stdout } = child
    if (stdout === null) throw new Error('no pipe to the child')
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    createInterface(stdout).on('line', text => {
      const line = JSON.parse(text) as Line
      this.log.push(line)
      if (line.event === 'listening') resolve()
    })
    child.once('exit', code => reject(new Error(`the gateway ended with ${code}`)))
    await promise
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** As a supervisor stops it. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM')
  }

  /** `kill -9` for some of its workers. Settles when as many others serve. */
  async killWorkers(count: number): Promise<void> {
    const started = (): number => this.log.filter(({ event }) => event === 'worker_started').length
    const before = started()
    for (const worker of this.#workers().slice(0, count)) process.kill(worker, 'SIGKILL')
    while (started() < before + count) await delay(POLL_MS)
  }

  /** How often the log has the event, in this state if one is named. */
  count(event: string, state?: string): number {
    return this.log.filter(line => line.event === event && (state === undefined || line.state === state))
      .length
  }

  #workers(): readonly number[] {
    const pid = this.#child?.pid
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'close')
    child.kill(signal)
    await ended
  }
}

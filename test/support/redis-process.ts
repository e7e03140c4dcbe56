import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { installedCommand } from './installed-command.ts'

/** The server that is on the PATH. `.ci/system-packages.mjs` says how to get one. */
export const REDIS_COMMAND = installedCommand('redis-server', 'valkey-server')

export interface RedisFacts {
  /** Of its command line. */
  readonly args?: readonly string[]
  /** Its configuration. */
  readonly file?: string
  /** The line of its log that says that it has started. */
  readonly until?: RegExp
}

const READY = /ready to accept connections/i
const OWN_ARGS = ['--save', '', '--appendonly', 'no', '--logfile', '']

/** A real Redis or Valkey in a process of its own, on a port of 127.0.0.1 and a socket, with a folder of its own. */
export class RedisProcess {
  readonly port: number
  readonly folder: string
  readonly #args: readonly string[]
  readonly #file: string | undefined
  readonly #until: RegExp
  #process: ChildProcess | undefined

  constructor(port: number, { args = [], file, until = READY }: RedisFacts = {}) {
    this.port = port
    this.#args = file === undefined ? [...OWN_ARGS, ...args] : [...args]
    this.#file = file
    this.#until = until
    this.folder = mkdtempSync(join(tmpdir(), 'limpet-redis-'))
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  get socketPath(): string {
    return join(this.folder, 'redis.sock')
  }

  /**
   * Starts it, or starts it again on the same port, with the entries that it had saved.
   * @param until a line of its log, by default the one that says that it takes commands
   * @param more of its command line, this time
   */
  async start(until = this.#until, more: readonly string[] = []): Promise<void> {
    if (REDIS_COMMAND === undefined) throw new Error('no redis-server or valkey-server on the PATH')
    const args = ['--port', `${this.port}`, '--bind', '127.0.0.1', '--dir', this.folder]
    const file = this.#file === undefined ? ['--unixsocket', this.socketPath] : []
    const first = this.#file === undefined ? [] : [this.#file]
    this.#process = spawn(REDIS_COMMAND, [...first, ...args, ...file, ...this.#args, ...more], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const { stdout } = this.#process
    if (stdout === null) throw new Error('no output')
    const lines: string[] = []
    for await (const line of createInterface(stdout)) {
      lines.push(line)
      if (until.test(line)) {
        // Nothing reads on, and it must not wait for a reader.
        stdout.resume()
        return
      }
    }
    throw new Error(`it did not start:\n${lines.join('\n')}`)
  }

  async kill(): Promise<void> {
    const child = this.#process
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGCONT')
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  /** It answers nothing more, and its connections stay. */
  pause(): void {
    this.#process?.kill('SIGSTOP')
  }

  resume(): void {
    this.#process?.kill('SIGCONT')
  }

  /** Kills it and removes its folder. */
  async remove(): Promise<void> {
    await this.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

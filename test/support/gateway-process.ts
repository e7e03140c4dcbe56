import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished } from 'vitest'
import { Browser } from './browser.ts'
import { type BackendResponse, ask, type Asked } from './http-client.ts'
import { starvedMs } from './starved.ts'

export const GATEWAY_PROGRAM = fileURLToPath(new URL('../../packages/gateway/dist/main.js', import.meta.url))

/** A line of its log. */
export interface LogLine {
  readonly event: string
  readonly [field: string]: unknown
}

/** The `limpet` command in a process of its own, with a file of this content, ended at the latest with the test. */
export class GatewayProcess {
  readonly log: LogLine[] = []
  readonly file: string
  readonly #child: ChildProcess
  readonly #exited: Promise<[code: number | null, signal: string | null]>
  #error = ''

  private constructor(file: string, args: readonly string[], environment: NodeJS.ProcessEnv) {
    this.file = file
    this.#child = spawn(process.execPath, [GATEWAY_PROGRAM, '--config', file, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    })
    const { stdout, stderr } = this.#child
    if (stdout === null || stderr === null) throw new Error('no pipes')
    createInterface(stdout).on('line', line => this.log.push(JSON.parse(line) as LogLine))
    stderr.setEncoding('utf8').on('data', (piece: string) => (this.#error += piece))
    this.#exited = once(this.#child, 'close') as Promise<[number | null, string | null]>
  }

  /** @param args more of the command line */
  static spawn(
    content: object | string,
    args: readonly string[] = [],
    environment: NodeJS.ProcessEnv = {},
  ): GatewayProcess {
    const folder = mkdtempSync(join(tmpdir(), 'limpet-'))
    const file = join(folder, 'limpet.yaml')
    writeFileSync(file, textOf(content))
    const gateway = new GatewayProcess(file, args, environment)
    onTestFinished(async () => {
      gateway.signal('SIGKILL')
      await gateway.exited
      rmSync(folder, { recursive: true, force: true })
    })
    return gateway
  }

  /** Settles when it listens. */
  static async start(...of: Parameters<typeof GatewayProcess.spawn>): Promise<GatewayProcess> {
    const gateway = GatewayProcess.spawn(...of)
    await Promise.race([
      gateway.logged('listening'),
      gateway.exited.then(({ code, error }) => {
        throw new Error(`ended with ${code}: ${error}`)
      }),
    ])
    return gateway
  }

  /** The exit code, and the text of its standard error. */
  get exited(): Promise<{ code: number | null; error: string }> {
    return this.#exited.then(([code]) => ({ code, error: this.#error }))
  }

  get port(): number {
    return Number(this.log.find(({ event }) => event === 'listening')?.['port'])
  }

  get adminPort(): number {
    return Number(this.log.find(({ event }) => event === 'listening')?.['adminPort'])
  }

  /** Bytes of memory that it has now. */
  get rss(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8')
    return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1]) * 1024
  }

  /** Milliseconds in which it was ready to run and other processes had all CPUs. */
  get starvedMs(): number {
    return starvedMs(this.#child.pid)
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Process ids of its workers. */
  get workers(): readonly number[] {
    const children = readFileSync(`/proc/${this.#child.pid}/task/${this.#child.pid}/children`, 'utf8')
    return children.split(' ').filter(Boolean).map(Number)
  }

  /** `kill -9` for one of its workers. */
  killWorker(): void {
    const [worker] = this.workers
    if (worker === undefined) throw new Error('the gateway has no worker')
    process.kill(worker, 'SIGKILL')
  }

  write(content: object | string): void {
    writeFileSync(this.file, textOf(content))
  }

  /** The n-th line of this event, when it is there. */
  async logged(event: string, count = 1): Promise<LogLine> {
    const lines = (): LogLine[] => this.log.filter(line => line.event === event)
    await expect.poll(() => lines().length, { interval: 5 }).toBeGreaterThanOrEqual(count)
    return lines()[count - 1] as LogLine
  }

  async ask(asked?: Asked): Promise<BackendResponse> {
    return ask(this.port, asked)
  }

  browser(always?: Asked): Browser {
    return new Browser(this.port, always)
  }

  async admin(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<BackendResponse> {
    return ask(this.adminPort, {
      method,
      path,
      headers: { ...(body !== undefined && { 'Content-Type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
  }
}

function textOf(content: object | string): string {
  return typeof content === 'string' ? content : JSON.stringify(content)
}

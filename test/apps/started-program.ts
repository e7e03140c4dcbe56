import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, inject } from 'vitest'
import { SECRET } from '../contract/start.ts'
import type { Backend } from '../support/backend.ts'
import { Browser } from '../support/browser.ts'
import { type Asked, ask, type BackendResponse } from '../support/http-client.ts'
import { TunnelBackend } from '../support/tunnel-backend.ts'
import { webSocketServer } from '../support/upgrade-scripts.ts'

/** A program of `programs/`, and backends behind it. */
export class StartedProgram<Behind extends Backend = TunnelBackend> {
  readonly backends: readonly Behind[]
  /** Everything that the program has written to stdout and stderr. */
  output = ''
  port = 0
  tlsPort = 0
  #child: ChildProcess | undefined
  /** Rejects when the program ends. */
  #ended: Promise<never> = Promise.withResolvers<never>().promise

  constructor(backends: readonly Behind[]) {
    this.backends = backends
  }

  /** @param file path under `programs/`, with the extension of the compiled file */
  async start(file: string, env: NodeJS.ProcessEnv = {}): Promise<void> {
    for (const backend of this.backends) await backend.listen()
    const child = fork(join(inject('installed'), file), {
      cwd: inject('installed'),
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: {
        ...process.env,
        LIMPET_SECRET: SECRET,
        BACKENDS: JSON.stringify(this.backends.map(({ options }) => options)),
        ...env,
      },
    })
    this.#child = child
    const note = (piece: Buffer): void => void (this.output += piece.toString())
    child.stdout?.on('data', note)
    child.stderr?.on('data', note)
    this.#ended = once(child, 'close').then(() => {
      throw new Error(`${file} has ended:\n${this.output}`)
    })
    // While nothing is expected of it, the program may end.
    this.#ended.catch(() => undefined)
    const [ports] = (await Promise.race([once(child, 'message'), this.#ended])) as [
      { port: number; tlsPort?: number },
    ]
    this.port = ports.port
    this.tlsPort = ports.tlsPort ?? 0
  }

  async stop(): Promise<void> {
    const child = this.#child
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const closed = once(child, 'close')
      child.kill('SIGKILL')
      await closed
    }
    for (const backend of this.backends) await backend.refuse()
  }

  /** The reply of the program to a message by IPC. */
  async reply(message: string): Promise<unknown> {
    const child = this.#child
    if (child === undefined) throw new Error('the program is not started')
    const replied = Promise.race([once(child, 'message'), this.#ended])
    child.send(message)
    const [reply] = (await replied) as [unknown]
    return reply
  }

  async ask(asked?: Asked): Promise<BackendResponse> {
    return ask(this.port, asked)
  }

  browser(always?: Asked): Browser {
    return new Browser(this.port, always)
  }

  backend(id: string): Behind {
    const found = this.backends.find(backend => backend.id === id)
    if (found === undefined) throw new Error(`no backend ${id}`)
    return found
  }
}

/** Starts a program once for all tests of a describe block, by default before two backends that take WebSockets. */
export function startProgram(file: string, env?: NodeJS.ProcessEnv): StartedProgram
export function startProgram<Behind extends Backend>(
  file: string,
  env: NodeJS.ProcessEnv | undefined,
  backends: readonly Behind[],
): StartedProgram<Behind>
export function startProgram(
  file: string,
  env?: NodeJS.ProcessEnv,
  backends: readonly Backend[] = ['w1', 'w2'].map(id => new TunnelBackend(id, webSocketServer(), {})),
): StartedProgram<Backend> {
  const program = new StartedProgram(backends)
  beforeAll(async () => program.start(file, env))
  afterAll(async () => program.stop())
  return program
}

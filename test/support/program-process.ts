import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isListening } from './is-listening.ts'

const HOST = fileURLToPath(new URL('program-host.ts', import.meta.url))
/** Stands behind the output of a program that has ended: no program prints this character. */
const END = '\u0004'

/** The file of a compiled program, and where it runs. */
export interface ProgramFile {
  readonly path: string
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  /** The port of 127.0.0.1 where it listens, unless it ends by itself. */
  readonly port: number | undefined
}

/** A process for programs: one, or several in turn that leave the process itself alone. */
export class ProgramProcess {
  readonly #child: ChildProcess
  readonly #closed: Promise<unknown>
  #out = ''
  #ended = Promise.withResolvers<void>()

  private constructor(child: ChildProcess) {
    this.#child = child
    this.#closed = once(child, 'close')
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => this.#hear(text))
  }

  /** A process of its own for a program, and the program is started. */
  static alone({ path, cwd, env }: ProgramFile): ProgramProcess {
    return new ProgramProcess(
      spawn(process.execPath, [path], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] }),
    )
  }

  /** A process for programs that are given to `next`. */
  static shared({ cwd, env }: ProgramFile): ProgramProcess {
    return new ProgramProcess(fork(HOST, [END], { cwd, env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] }))
  }

  /** The output of its program so far. */
  get out(): string {
    return this.#out.replaceAll(END, '')
  }

  get isOver(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  /** Starts a program in a shared process. */
  next({ path }: ProgramFile): void {
    this.#out = ''
    this.#ended = Promise.withResolvers<void>()
    this.#child.send(path)
  }

  /** Settles when the program listens, or has ended if it listens nowhere. @throws the output of one that failed */
  async settled({ port }: ProgramFile): Promise<void> {
    if (port === undefined) await Promise.race([this.#ended.promise, this.#closed])
    else while (!this.isOver && !(await isListening(port))) await setTimeout(20)
    if (this.isOver && (port !== undefined || this.#child.exitCode !== 0)) {
      await this.#closed
      throw new Error(this.out)
    }
  }

  /** Asks it to end, and settles with its exit code when it has. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    this.#child.kill(signal)
    await this.#closed
    return this.#child.exitCode
  }

  #hear(text: string): void {
    this.#out += text
    // One at the end of each output.
    if (this.#out.split(END).length > 2) this.#ended.resolve()
  }
}

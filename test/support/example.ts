import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** `node <script>` in a process group of its own, as a terminal starts it; the whole group is gone when the test ends. */
export function startExample(...of: Parameters<typeof spawnExample>): Example {
  const example = spawnExample(...of)
  onTestFinished(() => example.kill())
  return example
}

/** The same for several tests, which end it. */
export function spawnExample(
  script: string,
  env: NodeJS.ProcessEnv = {},
  args: readonly string[] = [],
): Example {
  const { PATH, NODE_COMPILE_CACHE } = process.env
  const child = spawn(process.execPath, [script, ...args], {
    cwd: ROOT,
    // Nothing else of the machine's own, which may have a PORT.
    env: { PATH, NODE_COMPILE_CACHE, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  return new Example(child)
}

export class Example {
  readonly #child: ChildProcess
  readonly #closed: Promise<unknown>
  #out = ''
  #err = ''

  constructor(child: ChildProcess) {
    this.#child = child
    this.#closed = once(child, 'close')
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#out += text))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#err += text))
  }

  /** Its output so far. */
  get out(): string {
    return this.#out
  }

  get err(): string {
    return this.#err
  }

  /** Settles when it has printed `text`; when it ends or falls silent without, that is an error. */
  async printed(text: string): Promise<void> {
    const { stdout } = this.#child
    while (!this.#out.includes(text)) {
      if (stdout === null || stdout.closed) throw new Error(`no "${text}" in:\n${this.#out}${this.#err}`)
      const signal = AbortSignal.timeout(60_000)
      // Whichever comes first; a silence of a minute is an end as well.
      await Promise.race([once(stdout, 'data', { signal }), once(stdout, 'close', { signal })]).catch(() =>
        stdout.destroy(),
      )
    }
  }

  /** Ctrl-C under npm: the terminal sends it to every process of the group, and npm sends it on. */
  pressCtrlC(): void {
    this.#signal('SIGINT')
    setTimeout(() => this.#child.kill('SIGINT'), 2)
  }

  /** To the first process alone. */
  send(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Settles with its exit code, or the signal that it died of, when it has ended and said all. */
  async ended(): Promise<number | NodeJS.Signals | null> {
    await this.#closed
    return this.#child.exitCode ?? this.#child.signalCode
  }

  /** Whether a process of it is left. */
  get isAlive(): boolean {
    return this.#signal(0)
  }

  async kill(): Promise<void> {
    if (this.#signal('SIGKILL')) await this.#closed
  }

  #signal(signal: NodeJS.Signals | 0): boolean {
    try {
      return process.kill(-Number(this.#child.pid), signal)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
      throw error
    }
  }
}

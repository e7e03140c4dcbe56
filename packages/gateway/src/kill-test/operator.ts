import { createInterface, type Interface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { Action } from './scenario.ts'

/** `done`: the operator has done it; `skip`: this one is left out; `quit`: all that follow are. */
export type OperatorAnswer = 'done' | 'skip' | 'quit'

const SENTENCES: Readonly<Record<Action, (backend: string) => string>> = {
  drain: backend => `Drain ${backend}: it takes no new session`,
  kill: backend => `Kill ${backend}`,
  restart: backend => `Start ${backend} again`,
  ready: backend => `Put ${backend} back into rotation`,
}

/** Asks the operator, line by line. */
export class Operator {
  readonly #input: Readable
  readonly #say: (text: string) => void
  readonly #waiting: string[] = []
  #lines: Interface | undefined
  #isEnded = false
  #wake: (() => void) | undefined

  constructor(input: Readable, say: (text: string) => void) {
    this.#input = input
    this.#say = say
  }

  /** Asks for an action; settles with the operator's word. The end of the input is `quit`. */
  async ask(action: Action, backend: string | undefined, signal: AbortSignal): Promise<OperatorAnswer> {
    this.#lines ??= this.#listen()
    const sentence = SENTENCES[action](backend ?? 'one backend')
    this.#say(`${sentence} now, then press Enter (s: leave it out, q: end here)\n`)
    const line = await this.#next(signal)
    if (line === undefined || /^\s*q/i.test(line)) return 'quit'
    return /^\s*s/i.test(line) ? 'skip' : 'done'
  }

  close(): void {
    this.#lines?.close()
  }

  /** Only when there is something to ask: a job in the background that reads from its terminal is stopped. */
  #listen(): Interface {
    const lines = createInterface({ input: this.#input, terminal: false })
    lines.on('line', line => {
      this.#waiting.push(line)
      this.#wake?.()
    })
    lines.once('close', () => {
      this.#isEnded = true
      this.#wake?.()
    })
    return lines
  }

  async #next(signal: AbortSignal): Promise<string | undefined> {
    while (this.#waiting.length === 0 && !this.#isEnded) {
      signal.throwIfAborted()
      const { promise, resolve } = Promise.withResolvers<undefined>()
      this.#wake = () => resolve(undefined)
      signal.addEventListener('abort', this.#wake, { once: true })
      await promise
      signal.removeEventListener('abort', this.#wake)
    }
    signal.throwIfAborted()
    return this.#waiting.shift()
  }
}

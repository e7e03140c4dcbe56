import type { Journal, Phase } from './journal.ts'

const EVERY_MS = 500

/** Progress output while a test runs: a line for each action, and on a terminal one that is written over. */
export class Progress {
  readonly #journal: Journal
  readonly #write: (text: string) => void
  readonly #timer: NodeJS.Timeout | undefined
  readonly #isTerminal = process.stderr.isTTY

  /** @param write writes to the standard error */
  constructor(journal: Journal, write: (text: string) => void) {
    this.#journal = journal
    this.#write = write
    this.#timer = this.#isTerminal ? setInterval(() => this.#draw(), EVERY_MS) : undefined
    this.say('opening sessions\n')
  }

  begin({ action, backend }: Phase): void {
    this.say(`${this.#seconds()} ${action ?? ''} ${backend ?? 'one backend'}\n`)
  }

  /** Writes whole lines. */
  say(text: string): void {
    this.#write(this.#isTerminal ? `\r\u001B[K${text}` : text)
  }

  stop(): void {
    clearInterval(this.#timer)
    this.say('')
  }

  #draw(): void {
    const { steps, errors, lost } = this.#journal.phase
    this.say(`${this.#seconds()} ${steps} steps, ${errors} errors, ${lost} lost writes`)
  }

  #seconds(): string {
    return `${(this.#journal.nowMs / 1000).toFixed(1)} s`
  }
}

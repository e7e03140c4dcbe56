import { stdout } from 'node:process'
import { printable } from '../cli/printable.ts'
import type { Terminal } from '../cli/terminal.ts'

const CLEAR_LINE = '\r\u001b[2K'
const HOME = '\u001b[H'
const CLEAR_BELOW = '\u001b[J'
const CLEAR_TO_END = '\u001b[K'
/** Between lines of progress, where each stays. */
const LINE_EVERY_MS = 5_000

/** Output that is drawn anew in its place on a terminal, and is plain lines in a file or a pipe. */
export class Screen {
  readonly #terminal: Terminal
  readonly #isTerminal: boolean
  #hasProgress = false
  #hasPage = false
  #saidMs = -Infinity

  constructor(terminal: Terminal, isTerminal: boolean = stdout.isTTY) {
    this.#terminal = terminal
    this.#isTerminal = isTerminal
  }

  /** A line that takes the place of the last. */
  progress(line: string): void {
    if (this.#isTerminal) {
      // A longer line would wrap, and only its last part would be drawn anew.
      this.#terminal.out(`${CLEAR_LINE}${printable(line).slice(0, stdout.columns - 1)}`)
      this.#hasProgress = true
      return
    }
    const nowMs = performance.now()
    if (nowMs - this.#saidMs < LINE_EVERY_MS) return
    this.#saidMs = nowMs
    this.#terminal.out(`${printable(line)}\n`)
  }

  /** A page that takes the place of the last. */
  page(text: string): void {
    if (!this.#isTerminal) {
      this.#terminal.out(text)
      return
    }
    const clear = this.#hasPage ? HOME : `${HOME}${CLEAR_BELOW}`
    this.#hasPage = true
    const lines = text.split('\n').slice(0, stdout.rows - 1)
    this.#terminal.out(
      `${clear}${lines.map(line => `${line.slice(0, stdout.columns)}${CLEAR_TO_END}\n`).join('')}${CLEAR_BELOW}`,
    )
  }

  result(line: string): void {
    this.#endProgress()
    this.#terminal.out(`${printable(line)}\n`)
  }

  error(line: string): void {
    this.#endProgress()
    this.#terminal.error(`limpet: ${printable(line)}\n`)
  }

  #endProgress(): void {
    if (this.#hasProgress) this.#terminal.out('\n')
    this.#hasProgress = false
  }
}

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished } from 'vitest'

const PROGRAM = fileURLToPath(new URL('../../packages/gateway/dist/main.js', import.meta.url))

/** The row of an action, as in the JSON report. */
export interface PhaseRow {
  readonly name: string
  readonly [figure: string]: unknown
}

interface Report {
  readonly exitCode: number
  readonly ending: string
  readonly problem: string | null
  readonly unreadWrites: number
  readonly phases: readonly PhaseRow[]
}

export interface KillTestEnd {
  readonly code: number | null
  readonly out: string
  readonly error: string
}

/** `limpet kill-test` in a process of its own, killed at the latest when the test ends. */
export class KillTestProcess {
  readonly folder = mkdtempSync(join(tmpdir(), 'limpet-kill-test-'))
  readonly #child
  readonly #closed
  #out = ''
  #error = ''

  /** @param scenario the content of a file; undefined: the arguments name one */
  constructor(args: readonly string[], scenario?: object | string) {
    const file = join(this.folder, 'scenario.yaml')
    const content = typeof scenario === 'object' ? JSON.stringify(scenario) : scenario
    if (content !== undefined) writeFileSync(file, content)
    const all = ['kill-test', ...(scenario === undefined ? [] : [file]), '--json', this.path('json'), ...args]
    this.#child = spawn(process.execPath, [PROGRAM, ...all], { stdio: ['pipe', 'pipe', 'pipe'] })
    this.#closed = once(this.#child, 'close')
    this.#child.stdout.setEncoding('utf8').on('data', (piece: string) => (this.#out += piece))
    this.#child.stderr.setEncoding('utf8').on('data', (piece: string) => (this.#error += piece))
    onTestFinished(async () => {
      this.#child.kill('SIGKILL')
      await this.#closed
      rmSync(this.folder, { recursive: true, force: true })
    })
  }

  /** Of a report of this format. */
  path(format: string): string {
    return join(this.folder, `report.${format}`)
  }

  async ended(): Promise<KillTestEnd> {
    const [code] = (await this.#closed) as [number | null]
    return { code, out: this.#out, error: this.#error }
  }

  get report(): Report {
    return JSON.parse(readFileSync(this.path('json'), 'utf8')) as Report
  }

  /** Settles when the standard error has this text. */
  async said(text: string): Promise<void> {
    await expect.poll(() => this.#error, { interval: 5, timeout: 15_000 }).toContain(text)
  }

  type(line: string): void {
    this.#child.stdin.write(`${line}\n`)
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }
}

/** Options for a run of about a second. */
export const QUICK: readonly string[] = [
  '--sessions',
  '9',
  '--rate',
  '150',
  '--settle',
  '300ms',
  '--give-up',
  '20s',
]

export function httpUrl({ port }: { readonly port: number }): string {
  return `http://127.0.0.1:${port}`
}

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Report } from './gateways/serve.ts'

/** A program of this folder, running as a process of its own. It says where it listens, and ends with us. */
export class Child {
  readonly name: string
  readonly urls: readonly string[]
  readonly #process: ChildProcess

  private constructor(name: string, urls: readonly string[], process: ChildProcess) {
    this.name = name
    this.urls = urls
    this.#process = process
  }

  get url(): string {
    return this.urls[0] ?? ''
  }

  get port(): number {
    return Number(new URL(this.url).port)
  }

  static async start(
    name: string,
    args: readonly string[] = [],
    execArgv: readonly string[] = [],
  ): Promise<Child> {
    const child = fork(new URL(`${name}.ts`, import.meta.url), [...args], { execArgv: [...execArgv] })
    child.once('exit', code => {
      if (code !== 0) throw new Error(`${name} ended with ${code}`)
    })
    const [{ urls }] = (await once(child, 'message')) as [{ urls: string[] }]
    return new Child(name, urls, child)
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  /** How it is doing; for gateways. */
  async report(): Promise<Report> {
    const answer = once(this.#process, 'message')
    this.#process.send('report')
    const [report] = (await answer) as [Report]
    return report
  }

  async stop(): Promise<void> {
    const exit = once(this.#process, 'exit')
    this.#process.disconnect()
    await exit
  }
}

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Report } from './gateways/serve.ts'

/** A program of this folder, running as a process of its own. It says where it listens, and ends with us. */
export class Child {
  readonly name: string
  readonly url: string
  readonly #process: ChildProcess

  private constructor(name: string, url: string, process: ChildProcess) {
    this.name = name
    this.url = url
    this.#process = process
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
    const [{ url }] = (await once(child, 'message')) as [{ url: string }]
    return new Child(name, url, child)
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

/** As many backends as a small pool has. */
export async function startBackends(): Promise<Child[]> {
  return Promise.all([1, 2, 3].map(async () => Child.start('backend')))
}

import { type Example, spawnExample, startExample } from './example.ts'

/** One of an example's backends, as its first page lists them. */
export interface ExampleBackend {
  readonly id: string
  readonly port: number
  readonly pid: number
}

/** A running example and the text of its first page. */
export class RunningExample {
  readonly example: Example
  readonly port: number
  readonly backends: readonly ExampleBackend[]
  /** The lines for another terminal. */
  readonly lines: readonly string[]

  constructor(example: Example) {
    this.example = example
    const { out } = example
    this.port = Number(/^ {2}open +http:\/\/127\.0\.0\.1:(\d+)\/$/m.exec(out)?.[1])
    this.backends = [...out.matchAll(/^ {2}(\w+) +http:\/\/127\.0\.0\.1:(\d+) +pid (\d+)$/gm)].map(
      ([, id = '', port, pid]) => ({ id, port: Number(port), pid: Number(pid) }),
    )
    this.lines = [...out.matchAll(/^ {4}(.+)$/gm)].map(row => row[1] ?? '')
  }

  backend(id: string): ExampleBackend {
    const found = this.backends.find(backend => backend.id === id)
    if (found === undefined) throw new Error(`no ${id} in:\n${this.example.out}`)
    return found
  }
}

/** `node <script>`, on a free port, once it is ready. */
export async function runExample(
  script: string,
  env: NodeJS.ProcessEnv = {},
  args?: readonly string[],
): Promise<RunningExample> {
  return ready(startExample(script, { PORT: '0', ...env }, args))
}

/** The same for several tests, which end it. */
export async function runSharedExample(script: string): Promise<RunningExample> {
  return ready(spawnExample(script, { PORT: '0' }))
}

async function ready(example: Example): Promise<RunningExample> {
  await example.printed('Ctrl-C ends all of it.\n')
  return new RunningExample(example)
}

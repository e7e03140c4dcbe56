import { isIP } from 'node:net'
import type { Problem } from '../config/problem.ts'
import type { Hooks, Scenario, Step } from './scenario.ts'
import type { ScenarioFile, StepFile } from './scenario-options.ts'
import { StepReader } from './step-reader.ts'

const DEFAULT_SESSIONS = 30
const DEFAULT_RATE = 100
const DEFAULT_REDIRECTS = 5

/** Makes a scenario of a file that has the right shape, and collects what is wrong all the same. */
export class ScenarioReader {
  readonly problems: Problem[] = []
  readonly #file: ScenarioFile

  constructor(file: ScenarioFile) {
    this.#file = file
  }

  /** The scenario; of no use when there are problems. @param name for reports, when the file has none */
  read(name: string): Scenario {
    const { target, localAddresses = [], hooks = {}, backends = {} } = this.#file
    if (target !== undefined) this.#checkTarget(target)
    for (const [index, address] of localAddresses.entries())
      if (isIP(address) === 0)
        this.#note(`localAddresses[${index}]`, `got "${address}"; it takes an IP address`)
    const steps = new StepReader(this.problems, this.#file.timeout)
    const backend = steps.capture('backend', this.#file.backend)
    const open = this.#steps(steps, 'open', this.#file.open ?? [])
    return {
      name: this.#file.name ?? name,
      target,
      sessions: this.#file.sessions ?? DEFAULT_SESSIONS,
      rate: this.#file.rate ?? DEFAULT_RATE,
      redirects: this.#file.redirects ?? DEFAULT_REDIRECTS,
      localAddresses,
      backend,
      open,
      repeat: this.#steps(steps, 'repeat', this.#file.repeat),
      hooks,
      backends: new Map(Object.entries(backends) as [string, Hooks][]),
    }
  }

  #steps(reader: StepReader, list: string, files: readonly StepFile[]): readonly Step[] {
    return files.map((file, index) => reader.step(`${list}[${index}]`, file))
  }

  #checkTarget(target: string): void {
    const problem = targetProblem(target)
    if (problem !== undefined) this.#note('target', problem)
  }

  #note(path: string, text: string): void {
    this.problems.push({ path, text })
  }
}

/** The problem with the address of a target; undefined when it is valid. */
export function targetProblem(target: string): string | undefined {
  const url = URL.parse(target)
  if (url === null || !/^https?:$/.test(url.protocol))
    return 'is no HTTP address; it takes one such as http://127.0.0.1:8080'
  if (url.username !== '' || url.password !== '')
    return 'has a user or a password in it; send them by a header of the steps, as {{env.NAME}}'
  return undefined
}

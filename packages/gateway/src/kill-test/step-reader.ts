import { durationMs } from '@limpet/core/options'
import { bytesOf } from '../config/file-kinds.ts'
import type { Problem } from '../config/problem.ts'
import type { Capture } from './capture.ts'
import type { Expectation } from './expectation.ts'
import type { Step, StepBody } from './scenario.ts'
import type { CaptureFile, ExpectationFile, StepFile } from './scenario-options.ts'
import { BUILT_IN, namesIn, Template } from './template.ts'
import { MAX_UPLOAD, type Upload } from './upload.ts'

const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete', 'websocket'] as const
const BODIES = ['json', 'form', 'text', 'upload', 'send'] as const
const DEFAULT_TIMEOUT = '10s'
const MAX_STEP_MS = 600_000

/** Makes steps of what a file says, in their order: a variable is known behind the step that captures it. */
export class StepReader {
  readonly #problems: Problem[]
  readonly #timeoutMs: number
  readonly #known = new Set<string>(BUILT_IN)

  /**
   * @param problems gets what is wrong
   * @param timeout of steps that have none of their own
   */
  constructor(problems: Problem[], timeout: string | number | undefined) {
    this.#problems = problems
    this.#timeoutMs = this.#duration('timeout', timeout ?? DEFAULT_TIMEOUT)
  }

  step(path: string, file: StepFile): Step {
    const [method = 'get', ...others] = METHODS.filter(one => file[one] !== undefined)
    const where = file[method]
    if (where === undefined || others.length > 0)
      this.#note(path, `takes exactly one of ${METHODS.join(', ')}`)
    const isTunnel = method === 'websocket'
    if (file.keep !== undefined && !isTunnel) this.#note(`${path}.keep`, 'is for a websocket step')
    const step: Step = {
      label: `${method.toUpperCase()} ${where ?? ''}`,
      method: method.toUpperCase(),
      path: this.#template(`${path}.${method}`, where ?? '/'),
      headers: Object.entries(file.headers ?? {}).map(([name, value]) =>
        this.#header(`${path}.headers`, name, value),
      ),
      body: this.#body(path, file, isTunnel),
      keep: file.keep ?? false,
      timeoutMs:
        file.timeout === undefined ? this.#timeoutMs : this.#duration(`${path}.timeout`, file.timeout),
      expect: this.#expectation(`${path}.expect`, file.expect ?? {}, isTunnel),
      captures: Object.entries(file.capture ?? {}).flatMap(([name, capture]) =>
        this.#named(`${path}.capture.${name}`, name, capture),
      ),
      writes:
        file.writes === undefined
          ? undefined
          : this.#template(`${path}.writes`, file.writes, capturedBy(file)),
      reads: this.capture(`${path}.reads`, file.reads),
      counts: this.capture(`${path}.counts`, file.counts),
    }
    for (const name of Object.keys(file.capture ?? {})) this.#known.add(name)
    return step
  }

  capture(path: string, file: CaptureFile | undefined): Capture | undefined {
    if (file === undefined) return undefined
    const [[from, name = ''] = ['header', ''], ...others] = Object.entries(file)
    if (others.length > 0 || name === '') this.#note(path, 'takes exactly one of header, cookie, json, body')
    if (from === 'body') return { from, pattern: this.#pattern(`${path}.body`, name, 'gu') }
    return { from: from as 'header' | 'cookie' | 'json', name }
  }

  #named(path: string, name: string, file: CaptureFile): readonly (readonly [string, Capture])[] {
    if (!/^[A-Za-z]\w*$/.test(name) || BUILT_IN.some(one => one === name))
      this.#note(
        path,
        'is no name for a variable; it takes letters, digits and _, and none of the variables of limpet',
      )
    const capture = this.capture(path, file)
    return capture === undefined ? [] : [[name, capture]]
  }

  #header(path: string, name: string, value: string): readonly [string, Template] {
    if (!/^[!#$%&'*+.^`|~\w-]+$/.test(name)) this.#note(`${path}.${name}`, 'is no name for a header field')
    if (/^(?:cookie|host|content-length|transfer-encoding|connection|upgrade)$/i.test(name))
      this.#note(`${path}.${name}`, 'is a field that the client writes itself')
    if (/[\r\n\0]/.test(value)) this.#note(`${path}.${name}`, 'has a line break')
    return [name, this.#template(`${path}.${name}`, value)]
  }

  #body(path: string, file: StepFile, isTunnel: boolean): StepBody {
    const given = BODIES.filter(one => file[one] !== undefined)
    for (const one of given)
      if ((one === 'send') !== isTunnel)
        this.#note(
          `${path}.${one}`,
          isTunnel ? 'is for a request; a websocket step has send' : 'is for a websocket step',
        )
    if (given.length > 1) this.#note(path, `takes at most one of ${BODIES.join(', ')}`)
    if (given.length > 0 && (file.get !== undefined || file.head !== undefined))
      this.#note(`${path}.${given.join('.')}`, 'is a body, which a GET or HEAD request does not have')
    const { json, form, text, upload, send } = file
    if (json !== undefined) {
      this.#checkNames(`${path}.json`, JSON.stringify(json))
      return { kind: 'json', value: json }
    }
    if (form !== undefined)
      return {
        kind: 'form',
        fields: Object.entries(form).map(([name, value]) => [
          name,
          this.#template(`${path}.form.${name}`, String(value)),
        ]),
      }
    if (upload !== undefined) return { kind: 'upload', upload: this.#upload(`${path}.upload`, upload) }
    const said = text ?? send
    if (said === undefined) return { kind: 'none' }
    return { kind: 'text', type: 'text/plain; charset=utf-8', text: this.#template(`${path}.text`, said) }
  }

  #upload(path: string, file: NonNullable<StepFile['upload']>): Upload {
    const size = bytesOf(file.size)
    if (size > MAX_UPLOAD) this.#note(`${path}.size`, 'is too large; it takes at most 64MiB')
    const { field, name = 'upload.bin', type = 'application/octet-stream' } = file
    if (/[\r\n\0]/.test(type)) this.#note(`${path}.type`, 'has a line break')
    return { size, field, fileName: name, type, overMs: this.#duration(`${path}.over`, file.over ?? 0) }
  }

  #expectation(path: string, file: ExpectationFile, isTunnel: boolean): Expectation {
    if (isTunnel)
      for (const key of ['status', 'header', 'json'] as const)
        if (file[key] !== undefined)
          this.#note(
            `${path}.${key}`,
            'is for a request; a websocket step expects body, a pattern of its message',
          )
    const status = file.status ?? (isTunnel ? 101 : '2xx')
    for (const [name, value] of Object.entries(file.json ?? {}))
      this.#checkNames(`${path}.json.${name}`, String(value))
    return {
      statuses: Array.isArray(status) ? status : [status],
      headers: Object.entries(file.header ?? {}).map(([name, source]) => [
        name,
        this.#pattern(`${path}.header.${name}`, source, 'u'),
      ]),
      body: file.body === undefined ? undefined : this.#pattern(`${path}.body`, file.body, 'u'),
      json: Object.entries(file.json ?? {}),
    }
  }

  #duration(path: string, value: string | number): number {
    const ms = durationMs(path, value, 0, Number.MAX_VALUE)
    if (ms > MAX_STEP_MS) this.#note(path, 'is too long; it takes at most 10m')
    return ms
  }

  #pattern(path: string, source: string, flags: string): RegExp {
    try {
      return new RegExp(source, flags)
    } catch (error) {
      this.#note(path, `is no regular expression (${(error as Error).message})`)
      return /(?:)/g
    }
  }

  /** @param more variables that are known here, too */
  #template(path: string, text: string, more: readonly string[] = []): Template {
    this.#checkNames(path, text, more)
    return new Template(text)
  }

  #checkNames(path: string, text: string, more: readonly string[] = []): void {
    for (const name of namesIn(text)) {
      if (name.startsWith('env.')) {
        if (process.env[name.slice('env.'.length)] === undefined)
          this.#note(path, `has {{${name}}}, and the environment has no ${name.slice('env.'.length)}`)
      } else if (!this.#known.has(name) && !more.includes(name)) {
        this.#note(
          path,
          `has {{${name}}}, which no step before it captures; known are ${[...this.#known].join(', ')}`,
        )
      }
    }
  }

  #note(path: string, text: string): void {
    this.#problems.push({ path, text })
  }
}

/** A value that a step has captured can be the one that it has written. */
function capturedBy({ capture }: StepFile): readonly string[] {
  return Object.keys(capture ?? {})
}

import { jsonAt, type Reply } from './capture.ts'
import { StepFailure } from './step-failure.ts'
import { filled, type Variables } from './template.ts'

/** A status, or a hundred of them. */
export type ExpectedStatus = number | '2xx' | '3xx' | '4xx' | '5xx'

/** Requirements on a reply. */
export interface Expectation {
  readonly statuses: readonly ExpectedStatus[]
  readonly headers: readonly (readonly [name: string, pattern: RegExp])[]
  readonly body: RegExp | undefined
  /** Values by their path; texts may have variables. */
  readonly json: readonly (readonly [path: string, value: string | number | boolean | null])[]
}

const SHOWN_LENGTH = 80

/** @throws StepFailure when the reply is another one. */
export function expectReply(
  { statuses, headers, body, json }: Expectation,
  reply: Reply,
  variables: Variables,
): void {
  if (!statuses.some(expected => isStatus(expected, reply.status))) {
    const kind = reply.status >= 500 || reply.status === 429 ? 'status' : 'unexpected'
    throw new StepFailure(kind, `status ${reply.status} instead of ${statuses.join(' or ')}`)
  }
  for (const [name, pattern] of headers) {
    const value = reply.header(name) ?? ''
    if (!pattern.test(value)) throw unexpected(`header ${name} is ${shown(value)}, not ${pattern.source}`)
  }
  if (body !== undefined && reply.text.search(body) < 0) throw unexpected(`body has no ${shown(body.source)}`)
  for (const [path, value] of json) {
    const expected = typeof value === 'string' ? filled(value, variables) : value
    const found = jsonAt(reply.text, path)
    if (found !== expected)
      throw unexpected(
        `${path} is ${shown(JSON.stringify(found) ?? 'missing')}, not ${shown(JSON.stringify(expected))}`,
      )
  }
}

function isStatus(expected: ExpectedStatus, status: number): boolean {
  return typeof expected === 'number' ? expected === status : Number(expected[0]) === Math.floor(status / 100)
}

function unexpected(text: string): StepFailure {
  return new StepFailure('unexpected', text)
}

function shown(text: string): string {
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text
}

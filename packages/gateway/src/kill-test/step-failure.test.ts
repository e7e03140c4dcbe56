import { expect, it } from 'vitest'
import { failureOf, StepFailure } from './step-failure.ts'

function coded(code: string): Error {
  return Object.assign(new Error('it failed'), { code })
}

it.each([
  [new DOMException('late', 'TimeoutError'), 'timeout', 'no response in time'],
  [coded('UND_ERR_HEADERS_TIMEOUT'), 'timeout', 'no response in time'],
  [coded('ETIMEDOUT'), 'timeout', 'no response in time'],
  [coded('ECONNRESET'), 'connection', 'ECONNRESET: it failed'],
  [new Error('it failed'), 'connection', 'it failed'],
])('%s is a failure of the kind %s', (error, kind, message) => {
  expect(failureOf(error)).toMatchObject({ kind, message, cause: error })
})

it('keeps a failure as it is, and its text fit for a terminal', () => {
  const failure = new StepFailure('status', `a\u001b[2J\n${'x'.repeat(400)}`)
  expect(failureOf(failure)).toBe(failure)
  expect([failure.message.slice(0, 6), failure.message.length]).toEqual(['a?[2J?', 300])
})

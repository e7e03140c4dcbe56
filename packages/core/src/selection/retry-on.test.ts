import { expect, it } from 'vitest'
import { parseRetryOn } from './retry-on.ts'

it('is every failure and no status unless it is set', () => {
  expect(parseRetryOn('retryOn', undefined)).toEqual({
    connect: true,
    reset: true,
    timeout: true,
    statuses: new Set(),
  })
  expect(parseRetryOn('retryOn', ['timeout', 503, 503])).toEqual({
    connect: false,
    reset: false,
    timeout: true,
    statuses: new Set([503]),
  })
  expect(parseRetryOn('retryOn', [])).toMatchObject({ connect: false, statuses: new Set() })
})

it.each(['Connect', 399, 600, 502.5, '502', null])('takes no %j', condition => {
  expect(() => parseRetryOn('retryOn', ['reset', condition])).toThrow('retryOn[1]')
})

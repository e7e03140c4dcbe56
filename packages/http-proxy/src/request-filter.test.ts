import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { expect, it } from 'vitest'
import { requestFilter } from './request-filter.ts'

function requestOf(url: string | undefined): IncomingMessage {
  return Object.assign(new IncomingMessage(new Socket()), { url })
}

it('lets every request through without a filter', () => {
  expect(requestFilter(undefined)(requestOf('/'))).toBe(true)
})

it('shows a filter the whole target, and gives the request back as it was', () => {
  const seen: unknown[] = []
  const filter = requestFilter(({ url }, context) => {
    seen.push([url, context])
    return url === '/app/x'
  })
  const request = requestOf('/x')
  expect([filter(request, '/app/x', 'ctx'), filter(request), filter(request, '/x')]).toEqual([
    true,
    false,
    false,
  ])
  expect([seen, request.url]).toEqual([
    [
      ['/app/x', 'ctx'],
      ['/x', undefined],
      ['/x', undefined],
    ],
    '/x',
  ])
})

it('gives the request back also when the filter throws', () => {
  const request = requestOf('/x')
  const filter = requestFilter(() => {
    throw new Error('no')
  })
  expect(() => filter(request, '/app/x')).toThrow('no')
  expect(request.url).toBe('/x')
})

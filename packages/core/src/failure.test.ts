import { describe, expect, it } from 'vitest'
import { type FailureKind, isRepeatable, mayRedispatch } from './failure.ts'
import type { RequestHead } from './head.ts'

function request(method: string, hasBody: boolean): RequestHead {
  return {
    method,
    url: '/',
    httpVersion: '1.1',
    rawHeaders: [],
    headers: {},
    remoteAddress: undefined,
    localPort: undefined,
    encrypted: false,
    hasBody,
  }
}

const METHODS = [
  'GET',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'PUT',
  'DELETE',
  'POST',
  'PATCH',
  'get',
  'PROPFIND',
  '',
] as const
const IDEMPOTENT = ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']

function mayMove(kind: FailureKind, hasBody: boolean): string[] {
  return METHODS.filter(method =>
    mayRedispatch(request(method, hasBody), { kind, slow: false, cause: undefined }),
  )
}

describe('another backend may be tried', () => {
  it.each([true, false])('for any request when no byte of it got there [LB060] (body: %s)', hasBody => {
    expect(mayMove('unreached', hasBody)).toEqual(METHODS)
  })

  it.each<FailureKind>(['timeout', 'broken'])(
    'after %s for an idempotent request without a body, which can be told again [LB076]',
    kind => {
      expect(mayMove(kind, false)).toEqual(IDEMPOTENT)
      expect(mayMove(kind, true)).toEqual([])
    },
  )

  it.each<FailureKind>(['protocol', 'truncated'])('never after %s', kind => {
    expect(mayMove(kind, false)).toEqual([])
    expect(mayMove(kind, true)).toEqual([])
  })

  it.each([true, false])('whatever the time it took (slow: %s)', slow => {
    expect(mayRedispatch(request('POST', true), { kind: 'unreached', slow, cause: undefined })).toBe(true)
    expect(mayRedispatch(request('POST', false), { kind: 'timeout', slow, cause: undefined })).toBe(false)
  })
})

it('a request is repeatable when it is idempotent and has no body', () => {
  expect(METHODS.filter(method => isRepeatable(request(method, false)))).toEqual(IDEMPOTENT)
  expect(METHODS.filter(method => isRepeatable(request(method, true)))).toEqual([])
})

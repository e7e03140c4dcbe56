import { describe, expect, it } from 'vitest'
import { type FailureKind, isLocalError, isRepeatable, mayRedispatch } from './failure.ts'
import type { RequestHead } from './head.ts'
import { parseRetryOn } from './selection/retry-on.ts'
import { BARE_REQUEST } from './request.fixture.ts'

function request(method: string, hasBody: boolean): RequestHead {
  return { ...BARE_REQUEST, method, hasBody }
}

const ALL = parseRetryOn('retryOn', undefined)

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
    mayRedispatch(request(method, hasBody), { kind, slow: false, cause: undefined }, ALL),
  )
}

describe('another backend may be tried', () => {
  it.each([true, false])('for any request when no byte of it got there [LB060] (body: %s)', hasBody => {
    expect(mayMove('unreached', hasBody)).toEqual(METHODS)
  })

  it.each<FailureKind>(['timeout', 'broken', 'down', 'status'])(
    'after %s for an idempotent request without a body, which can be told again [LB076]',
    kind => {
      expect(mayMove(kind, false)).toEqual(IDEMPOTENT)
      expect(mayMove(kind, true)).toEqual([])
    },
  )

  it.each<FailureKind>(['protocol', 'truncated', 'local'])('never after %s', kind => {
    expect(mayMove(kind, false)).toEqual([])
    expect(mayMove(kind, true)).toEqual([])
  })

  it.each([true, false])('whatever the time it took (slow: %s)', slow => {
    expect(mayRedispatch(request('POST', true), { kind: 'unreached', slow, cause: undefined }, ALL)).toBe(
      true,
    )
    expect(mayRedispatch(request('POST', false), { kind: 'timeout', slow, cause: undefined }, ALL)).toBe(
      false,
    )
  })
})

describe('retryOn', () => {
  it.each<[FailureKind, readonly unknown[]]>([
    ['unreached', ['connect']],
    ['broken', ['reset']],
    ['down', ['reset']],
    ['timeout', ['timeout']],
  ])('decides whether another attempt follows %s', (kind, condition) => {
    const failure = { kind, slow: false, cause: undefined }
    expect(mayRedispatch(request('GET', false), failure, parseRetryOn('retryOn', condition))).toBe(true)
    const others = ['connect', 'reset', 'timeout', 503].filter(other => !condition.includes(other))
    expect(mayRedispatch(request('GET', false), failure, parseRetryOn('retryOn', others))).toBe(false)
  })

  it.each([[['conect']], [[200]], [[600]], [[503.5]], [['503']], ['reset'], [[null]]])(
    'refuses %j and names the option',
    value => {
      expect(() => parseRetryOn('retryOn', value)).toThrow(/retryOn.*(connect|list)/)
    },
  )
})

describe('an error of the operating system', () => {
  it.each(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'ENOMEM'])('%s is local', code => {
    expect(isLocalError(Object.assign(new Error(code), { code }))).toBe(true)
  })

  it.each(['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', undefined])('%s is not', code => {
    expect(isLocalError(Object.assign(new Error('x'), { code }))).toBe(false)
    expect(isLocalError({ code: 'EMFILE' })).toBe(false)
  })
})

it('a handshake is not repeatable: its response is the connection', () => {
  expect(isRepeatable({ ...request('GET', false), isHandshake: true })).toBe(false)
})

it('a request is repeatable when it is idempotent and has no body', () => {
  expect(METHODS.filter(method => isRepeatable(request(method, false)))).toEqual(IDEMPOTENT)
  expect(METHODS.filter(method => isRepeatable(request(method, true)))).toEqual([])
})

import { describe, expect, expectTypeOf, it } from 'vitest'
import {
  type AffinityError,
  BackendFailedError,
  isAffinityError,
  NoBackendError,
  RefusedRequestError,
} from './errors.ts'

const backend = { id: 'b1', url: new URL('http://10.1.2.3:8080') }
const cause = Object.assign(new Error('connect ECONNREFUSED 10.1.2.3:8080'), { code: 'ECONNREFUSED' })

const noBackend = new NoBackendError()
const failed = new BackendFailedError(backend, { kind: 'unreached', slow: false, cause })
const tooSlow = new BackendFailedError(backend, { kind: 'timeout', slow: true, cause })
const refused = new RefusedRequestError(400, 'framing', 'Content-Length is repeated')

describe('an error', () => {
  it.each<[string, AffinityError, string, number]>([
    ['no backend is available', noBackend, 'ERR_NO_BACKEND', 503],
    ['the last one did not answer', failed, 'ERR_BACKEND_FAILED', 502],
    ['the last one was too slow', tooSlow, 'ERR_BACKEND_FAILED', 504],
    ['the message was refused', refused, 'ERR_REFUSED_REQUEST', 400],
  ])('says by its code and status that %s', (_, error, code, statusCode) => {
    expect(error).toMatchObject({ code, statusCode })
    expect(error).toBeInstanceOf(Error)
    expect(error.name).toBe(error.constructor.name)
  })

  it.each([noBackend, failed, tooSlow, refused])(
    'names no address and no errno to the client: $code [T-10]',
    error => {
      const told = JSON.stringify([error.message, error.headers])
      expect(told).not.toMatch(/10\.1|8080|ECONN|http:/)
    },
  )

  it.each([noBackend, failed, tooSlow, refused])(
    'is about this moment, so that no cache stores it: $code',
    error => {
      expect(error.headers).toMatchObject({
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      })
    },
  )

  it.each([noBackend, failed, tooSlow, refused])('keeps its stack: $code', error => {
    expect(error.stack).toMatch(/^[^\n]*: [^\n]+\n    at /)
  })

  it('has Retry-After, if the request reached no backend', () => {
    expect(noBackend.headers).toHaveProperty('retry-after', '1')
    expect(failed.headers).toHaveProperty('retry-after', '1')
    expect(tooSlow.headers).not.toHaveProperty('retry-after')
  })

  it('of a refused message ends its connection, and no other does [T-30]', () => {
    expect(refused.headers).toHaveProperty('connection', 'close')
    expect(noBackend.headers).not.toHaveProperty('connection')
    expect(refused.reason).toBe('framing')
  })

  it('of a backend has its cause for the log', () => {
    expect(failed.cause).toBe(cause)
    expect(failed.failure).toEqual({ kind: 'unreached', slow: false, cause })
  })
})

describe('isAffinityError', () => {
  it('knows them by their code, whichever copy of the package made them', () => {
    const copy = Object.assign(new Error('x'), { code: 'ERR_NO_BACKEND' })
    expect([noBackend, failed, refused, copy].map(isAffinityError)).toEqual([true, true, true, true])
  })

  it('narrows by the code', () => {
    const error: unknown = failed
    expectTypeOf<AffinityError['code']>().toEqualTypeOf<
      | 'ERR_NO_BACKEND'
      | 'ERR_BACKEND_FAILED'
      | 'ERR_LOCAL_RESOURCE'
      | 'ERR_REFUSED_REQUEST'
      | 'ERR_INVALID_EDIT'
      | 'ERR_COOKIE_COLLISION'
    >()
    if (!isAffinityError(error)) throw new TypeError('no error of limpet')
    // @ts-expect-error Only some errors name a backend.
    expect(error.backend).toBe('b1')
    // @ts-expect-error No error has this code.
    expect(error.code === 'ERR_NO_BACKENDS').toBe(false)
    if (error.code !== 'ERR_BACKEND_FAILED') throw new TypeError('another error')
    expectTypeOf(error).toEqualTypeOf<BackendFailedError>()
    expect([error.backend, error.failure.kind]).toEqual(['b1', 'unreached'])
  })

  it.each([undefined, null, 'ERR_NO_BACKEND', { code: 'ERR_NO_BACKEND' }, new Error('x'), cause])(
    'recognizes no other value: %s',
    error => {
      expect(isAffinityError(error)).toBe(false)
    },
  )
})

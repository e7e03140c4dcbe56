import { describe, expect, it } from 'vitest'
import { affinityOf, START } from '../affinity.fixture.ts'
import { request } from '../request.fixture.ts'
import { debugTokens } from './debug-tokens.ts'

const OLD = Buffer.from('an older secret of the same pool, long enough')
const NEW = Buffer.from('a newer secret of the same pool, long enough')
const now = (): number => START

describe('a debug token', () => {
  it('is accepted until its time is over, and not again', () => {
    let at = START
    const tokens = debugTokens('web', [NEW], () => at)
    const token = tokens.make({ ttl: '10s' })
    expect(token).toMatch(/^v1\.[0-9a-z]+\.\.[A-Za-z0-9+/]{43}$/)
    at += 9_999
    expect(tokens.accepts(token)).toBe(true)
    at += 1_001
    expect([tokens.accepts(token), tokens.accepts(token)]).toEqual([false, false])
  })

  it('is of one pool, one purpose and one set of secrets', () => {
    const token = debugTokens('web', [NEW], now).make()
    expect(debugTokens('web', [NEW], now).accepts(token)).toBe(true)
    expect(debugTokens('api', [NEW], now).accepts(token)).toBe(false)
    expect(debugTokens('web', [OLD], now).accepts(token)).toBe(false)
  })

  it('outlives a rotation of the secrets', () => {
    const token = debugTokens('web', [OLD], now).make()
    expect(debugTokens('web', [NEW, OLD], now).accepts(token)).toBe(true)
  })

  it.each([
    ['nothing', ''],
    ['a text', 'yes'],
    ['a changed end', 'v1.zzzzzzzz'],
    ['a long text', 'v1.'.repeat(50_000)],
    ['two in one field', 'TOKEN, TOKEN'],
  ])('is not %s', (_, value) => {
    const tokens = debugTokens('web', [NEW], now)
    const token = tokens.make()
    const forged = value.startsWith('v1.z')
      ? token.replace(/^v1\.[^.]+/, value)
      : value.replaceAll('TOKEN', token)
    expect(tokens.accepts(forged)).toBe(false)
  })

  it.each(['0s', '999ms', '25h', 'soon', -1] as const)('cannot last %j', ttl => {
    expect(() => debugTokens('web', [NEW], now).make({ ttl: ttl as '1s' })).toThrow(/ttl/)
  })

  it('does not need secrets to be ignored, and tells that it cannot be made without', () => {
    const affinity = affinityOf('a', { affinity: [], secrets: undefined as never })
    expect(() => affinity.debugToken()).toThrow(/secrets/)
    const lease = affinity.select(request(undefined, { headers: { host: 'a', 'limpet-debug': 'v1.zz..x' } }))
    expect(lease).toMatchObject({ status: 'none' })
  })
})

import { expect, it } from 'vitest'
import { shortLivedTokens } from './short-lived-token.ts'
import { deriveKeys } from './signing-key.ts'

const [NEW, OLD] = ['new', 'old'].map(text => Buffer.from(text.repeat(12))) as [Buffer, Buffer]

function tokensOf(secrets: readonly Buffer[], clock = { nowMs: 0 }, purpose = 'debug') {
  return shortLivedTokens(deriveKeys(secrets, purpose), () => clock.nowMs)
}

it('accepts a token until its end, of all secrets', () => {
  const clock = { nowMs: 500 }
  const token = tokensOf([OLD], clock).make('w1', '10s')
  const tokens = tokensOf([NEW, OLD], clock)
  expect(tokens.read(token)).toEqual({ text: 'w1', keyIndex: 1 })
  // It ends with a whole second.
  clock.nowMs = 10_999
  expect(tokens.read(token)?.text).toBe('w1')
  clock.nowMs = 11_000
  expect(tokens.read(token)).toBeUndefined()
})

it('accepts nothing that was changed, is of another purpose, or would last for more than a day', () => {
  const tokens = tokensOf([NEW])
  const token = tokens.make('w1', '1m')
  const [, end = '', , signature = ''] = token.split('.')
  for (const value of [
    '',
    'v1',
    token.replace('w1', 'w2'),
    token.replace(`.${end}.`, '.zz.'),
    token.slice(0, -1),
    `${token}x`,
    `v1.${end}.${'x'.repeat(65)}.${signature}`,
    tokensOf([NEW], { nowMs: 0 }, 'pin').make('w1', '1m'),
    tokensOf([OLD]).make('w1', '1m'),
    tokensOf([NEW], { nowMs: 2 * 86_400_000 }).make('w1', '1m'),
  ])
    expect(tokens.read(value), `the value ${value}`).toBeUndefined()
})

it.each(['999ms', 0, '2d'] as const)('makes none for %s', ttl => {
  expect(() => tokensOf([NEW]).make('w1', ttl)).toThrow(/ttl/)
})

import { describe, expect, it } from 'vitest'
import { OptionError } from '../options/option.ts'
import { parseSecrets } from './secrets.ts'

const GOOD = 'correct horse battery staple, and then some more'
const OTHER = 'another secret of more than thirty-two bytes'

function errorOf(value: unknown): OptionError {
  try {
    parseSecrets(value)
  } catch (error) {
    if (error instanceof OptionError) return error
    throw error
  }
  throw new Error('was accepted')
}

describe('secrets', () => {
  it('are bytes, newest first', () => {
    const bytes = Buffer.from(OTHER)
    expect(parseSecrets([GOOD, bytes]).map(secret => Buffer.from(secret).toString())).toEqual([GOOD, OTHER])
  })

  it('as texts are counted and read in UTF-8', () => {
    const text = 'äöüßéèêñøåæœ中文字'
    expect(text.length).toBeLessThan(32)
    expect(parseSecrets([text]).map(secret => secret.byteLength)).toEqual([33])
    expect(errorOf(['äöüßéèêñ']).message).toContain('16 bytes')
  })

  it('may be eight', () => {
    expect(parseSecrets(Array.from({ length: 8 }, (_, n) => `${GOOD}${n}`))).toHaveLength(8)
  })

  it.each<[string, unknown, string]>([
    ['none', undefined, 'secrets'],
    ['null', null, 'secrets'],
    ['an empty list', [], 'secrets'],
    ['nine', Array.from({ length: 9 }, (_, n) => `${GOOD}${n}`), 'secrets'],
    ['one without a list round it', GOOD, 'secrets'],
    ['bytes without a list round them', Buffer.from(GOOD), 'secrets'],
    ['an empty one', [''], 'secrets[0]'],
    ['one of 31 bytes', [GOOD.slice(0, 31)], 'secrets[0]'],
    ['bytes that are too few', [GOOD, Buffer.from(OTHER.slice(0, 31))], 'secrets[1]'],
    ['one of few different bytes', ['x'.repeat(64)], 'secrets[0]'],
    ['nothing but zeros', [Buffer.alloc(32)], 'secrets[0]'],
    ['seven different bytes in turn', ['abcdefg'.repeat(9)], 'secrets[0]'],
    ['one that stands twice', [GOOD, OTHER, GOOD], 'secrets[2]'],
    ['one that stands twice, as a text and as bytes', [GOOD, Buffer.from(GOOD)], 'secrets[1]'],
    ['a number', [GOOD, 12_345_678_901_234], 'secrets[1]'],
    ['a missing one', [undefined], 'secrets[0]'],
    ['a list in the list', [[GOOD]], 'secrets[0]'],
  ])('are refused when there is %s [T-05]', (_, value, option) => {
    expect(errorOf(value)).toMatchObject({ option, code: 'ERR_INVALID_OPTION' })
  })

  it.each<[string, unknown]>([
    ['without a list', GOOD],
    ['that is too short', [GOOD.slice(0, 31)]],
    ['of few different bytes', ['correct '.repeat(8).replaceAll('t', 'c')]],
    ['that stands twice', [GOOD, GOOD]],
  ])('one %s is not told in the message', (_, value) => {
    const { message } = errorOf(value)
    expect(message).not.toContain('corre')
  })

  it('that is undefined says which variable to set', () => {
    expect(errorOf([undefined]).message).toMatch(
      /^option secrets\[0\] is undefined; set LIMPET_SECRET to at least 32 bytes \(node -p "/,
    )
  })

  it.each([
    '${LIMPET_COOKIE_SIGNING_SECRET_V1}',
    'env.LIMPET_COOKIE_SIGNING_SECRET_1',
    Buffer.from('process.env.LIMPET_COOKIE_SIGNING_SECRET'),
    '$LIMPET_SECRET',
    'undefined',
    'changeme-before-you-deploy-this-please',
  ])('that is a reference which failed is refused (%#)', secret => {
    const { option, message } = errorOf([GOOD, secret])
    expect(option).toBe('secrets[1]')
    expect(message).toContain('a reference that was not replaced')
    expect(message).toContain('randomBytes(32)')
    expect(message).not.toContain(String(secret))
  })

  it.each<[string, unknown]>([
    ['there is none', undefined],
    ['the list is empty', []],
    ['it is no list', GOOD],
    ['one is too short', ['x']],
    ['one is too simple', ['x'.repeat(64)]],
  ])('when %s: the message says how to make one', (_, value) => {
    expect(errorOf(value).message).toContain('randomBytes(32)')
  })
})

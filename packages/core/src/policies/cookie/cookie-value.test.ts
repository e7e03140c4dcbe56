import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cookieValues } from './cookie-value.ts'
import { deriveKeys, signText } from '../../signing/signing-key.ts'

const NEW = Buffer.from('the newest secret of 32 bytes or more')
const OLD = Buffer.from('an older secret, also 32 bytes or more')

const keys = deriveKeys([NEW, OLD], 'test')
const values = () => cookieValues(keys)
const oldValues = () => cookieValues(deriveKeys([OLD], 'test'))

const token = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/, { size: 'max' })
const date = fc.integer({ min: 0, max: 36 ** 8 - 1 })
const content = fc.oneof(
  fc.record({ token, issuedS: fc.constant(undefined), seenS: fc.constant(undefined) }),
  fc.record({ token, issuedS: date, seenS: fc.option(date, { nil: undefined }) }),
)

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

describe('a value', () => {
  it('is read as it was written, whatever the token and the dates', () => {
    fc.assert(
      fc.property(content, given => {
        const value = values().write(given)
        expect(values().read(value)).toEqual({ ...given, keyIndex: 0 })
      }),
    )
  })

  it('is short, and of characters that need no quotes', () => {
    fc.assert(
      fc.property(content, given => {
        expect(values().write(given)).toMatch(/^[A-Za-z0-9_.+/-]{1,130}$/)
      }),
    )
  })

  it('of an older secret is read, and says so [T-05]', () => {
    const given = { token: 'b1', issuedS: 5, seenS: 7 }
    expect(values().read(oldValues().write(given))).toEqual({ ...given, keyIndex: 1 })
  })

  it('of a secret that is gone is refused', () => {
    const value = values().write({ token: 'b1', issuedS: 5, seenS: undefined })
    expect(oldValues().read(value)).toBeUndefined()
  })

  it('of another purpose is refused, though the secret is the same [T-04]', () => {
    const others = cookieValues(deriveKeys([NEW], 'another'))
    const value = others.write({ token: 'b1', issuedS: 5, seenS: undefined })
    expect(others.read(value)).toBeDefined()
    expect(values().read(value)).toBeUndefined()
  })

  it('with any one character changed is refused, whether or not it was seen before [LB166] [T-01]', () => {
    const ours = values()
    fc.assert(
      fc.property(content, fc.nat(), fc.integer({ min: 0x20, max: 0xff }), (given, at, code) => {
        const value = ours.write(given)
        expect(ours.read(value)).toBeDefined()
        const place = at % value.length
        const changed = value.slice(0, place) + String.fromCharCode(code) + value.slice(place + 1)
        fc.pre(changed !== value)
        expect(ours.read(changed)).toBeUndefined()
      }),
      { numRuns: 2000 },
    )
  })

  it('with any one character left out, doubled or swapped is refused [T-01]', () => {
    const ours = values()
    const value = ours.write({ token: 'b1', issuedS: 1_700_000_000, seenS: 1_700_000_000 })
    const places = Array.from(value, (_, place) => place)
    const damaged = places.flatMap(place => [
      value.slice(0, place) + value.slice(place + 1),
      value.slice(0, place + 1) + value.slice(place),
      value.slice(0, place),
      value.slice(place + 1),
    ])
    expect(damaged.filter(text => text !== value && ours.read(text) !== undefined)).toEqual([])
  })

  it('with another last character of base64 is refused, though some decode to the same bytes [T-01]', () => {
    const ours = values()
    const value = ours.write({ token: 'b1', issuedS: 5, seenS: undefined })
    const good = Array.from(BASE64, last => value.slice(0, -1) + last).filter(
      text => ours.read(text) !== undefined,
    )
    expect(good).toEqual([value])
  })

  it.each([
    ['a blank', ' '],
    ['a dot', '.'],
    ['the padding of base64', '='],
    ['a letter', 'A'],
    ['a second signature', '.AAAA'],
    ['a line feed', '\n'],
    ['a NUL', '\0'],
  ])('with %s behind it or before it is refused [T-01]', (_, garbage) => {
    const ours = values()
    const value = ours.write({ token: 'b1', issuedS: 5, seenS: undefined })
    expect(ours.read(value + garbage)).toBeUndefined()
    expect(ours.read(garbage + value)).toBeUndefined()
  })

  it('with the signature spelt for URLs is refused [T-01]', () => {
    const ours = values()
    const value = Array.from({ length: 64 }, (_, issuedS) =>
      ours.write({ token: 'b1', issuedS, seenS: undefined }),
    ).find(text => /[+/]/.test(text))
    expect(value).toBeDefined()
    expect(ours.read(String(value).replaceAll('+', '-').replaceAll('/', '_'))).toBeUndefined()
  })

  it.each([
    ['nothing', ''],
    ['a dot', '.'],
    ['dots', '....'],
    ['an id', 'b1'],
    ['a text without a signature', 'v1.b1.5'],
    ['a text with an empty signature', 'v1.b1.5.'],
    ['a word that is no signature', 'v1.b1.none'],
    ['a text of another version', 'v0.b1.5.AAAA'],
    ['a member of Object', '__proto__'],
    ['more than is worth an HMAC [T-07]', `v1.b1.${'A'.repeat(600)}`],
    ['percent signs', '%E0%A4%A'],
    ['letters of other alphabets', 'v1.ключ.5.подпись'],
  ])('of %s is refused [T-02]', (_, value) => {
    expect(values().read(value)).toBeUndefined()
  })

  it.each([
    ['another version', 'v2.b1.5'],
    ['no version', 'b1'],
    ['no token', 'v1..5'],
    ['an empty token', 'v1.'],
    ['a token that is no token', 'v1.b:1.5'],
    ['a token that is too long', `v1.${'b'.repeat(65)}`],
    ['a date that is none', 'v1.b1.-5'],
    ['a date in capitals', 'v1.b1.5A'],
    ['a date that is too long', 'v1.b1.123456789'],
    ['a third date', 'v1.b1.5.6.7'],
    ['an empty date', 'v1.b1.'],
    ['a second line', 'v1.b1\n'],
  ])('with %s is refused even when the signature is ours', (_, text) => {
    expect(keys.map(key => values().read(signText(text, key)))).toEqual([undefined, undefined])
  })

  it('is never taken from random bytes', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.integer({ min: 0, max: 0xff }).map(c => String.fromCharCode(c)) }),
        text => {
          expect(values().read(text)).toBeUndefined()
          expect(values().read(`v1.${text}`)).toBeUndefined()
        },
      ),
    )
  })

  it('is remembered with its content, and evicted without harm', () => {
    const small = cookieValues(keys, 2)
    const given = Array.from({ length: 20 }, (_, n) => ({ token: `b${n}`, issuedS: n, seenS: undefined }))
    const written = given.map(one => small.write(one))
    for (let round = 0; round < 3; round += 1) {
      expect(written.map(value => small.read(value))).toMatchObject(given)
      expect(written.filter(value => small.read(`${value}x`) !== undefined)).toEqual([])
    }
    // A value that is used between all the others stays, in either generation.
    for (const value of written) {
      small.read(value)
      expect(small.read(written[0] ?? '')).toEqual({ token: 'b0', issuedS: 0, seenS: undefined, keyIndex: 0 })
    }
  })

  it('needs a key', () => {
    expect(() => cookieValues([])).toThrow(RangeError)
  })
})

describe('signatures', () => {
  const sources = readdirSync(new URL('../../signing/', import.meta.url))
    .filter(file => file.endsWith('.ts') && !/\.(?:test|bench)\.ts$/.test(file))
    .map(file => ({ file, text: readFileSync(new URL(`../../signing/${file}`, import.meta.url), 'utf8') }))

  it('are never compared with an operator or a search, which would tell by their time [T-06]', () => {
    expect(sources.map(({ file }) => file)).toContain('signing-key.ts')
    const secret = String.raw`\b\w*(?:sign(?:ature|ed)|h?mac|digest|tentative|expected)\w*\b(?:\([^)]*\))?`
    const compared = new RegExp(
      String.raw`[!=]==?\s*${secret}|${secret}\s*[!=]==?|${secret}\.(?:startsWith|endsWith|includes|indexOf|localeCompare|equals)\(`,
      'i',
    )
    expect('if (signature === given)').toMatch(compared)
    const lines = sources.flatMap(({ file, text }) => text.split('\n').map(line => `${file}: ${line}`))
    expect(lines.filter(line => compared.test(line))).toEqual([])
  })

  it('are checked in one place, by cookie-signature, which takes the same time for all [T-06]', () => {
    expect(sources.filter(({ text }) => /\bunsign\b/.test(text)).map(({ file }) => file)).toEqual([
      'signing-key.ts',
    ])
    const library = createRequire(import.meta.url).resolve('cookie-signature')
    expect(readFileSync(library, 'utf8')).toContain('timingSafeEqual(expectedBuffer, inputBuffer)')
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cookieValues, withoutCookie } from './cookie-header.ts'

/** Any header that Node's parser lets through: tabs, and the bytes 0x20 to 0xff. */
const byte = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom(';', '=', ' ', '\t', '"', '$', ',', 'S', 'R', 'V') },
  { weight: 1, arbitrary: fc.integer({ min: 0x20, max: 0xff }).map(code => String.fromCharCode(code)) },
)
const bytes = fc.string({ unit: byte, maxLength: 80 })

const piece = fc.oneof(
  fc.constantFrom('SRV=s1', 'SRV="s2"', 'SRV = s3 ', ' SRV\t=\ts4\t', 'SRV=', 'SRV==', 'SRV=a b', 'SRV="a'),
  fc.constantFrom('SRV', 'srv=s1', 'XSRV=s1', 'SRVX=s1', 'SRVSRV=s1', 'x=SRV=s1', '"SRV=s1"', '$SRV=s1'),
  fc.constantFrom('', ' ', '\t', '$Path=/', ' $Domain=SRV=x', 'a=1', ' b = 2', 'c="x', 'y"', 'd=3,SRV=4'),
  fc.string({ unit: byte, maxLength: 8 }),
)
const structured = fc
  .tuple(fc.array(piece, { maxLength: 12 }), fc.constantFrom(';', '; ', ' ; '))
  .map(([pieces, separator]) => pieces.join(separator))
const header = fc.oneof(bytes, structured)

const blanks = /^[ \t]+|[ \t]+$/g

/** The grammar, implemented the slow way: split at every semicolon, then look at each part. */
function nameOf(part: string): string | undefined {
  const equals = part.indexOf('=')
  return equals < 0 ? undefined : part.slice(0, equals).replace(blanks, '')
}

function valuesBySplitting(text: string, name: string): string[] {
  return text
    .split(';')
    .filter(part => nameOf(part) === name)
    .map(part => part.slice(part.indexOf('=') + 1).replace(blanks, ''))
    .map(value => (/^".*"$/s.test(value) && value.length > 1 ? value.slice(1, -1) : value))
}

function partsWithout(text: string, name: string): { kept: string[]; lastGone: number; firstGone: boolean } {
  const kept: string[] = []
  let isGone = false
  let firstGone = false
  let lastGone = -1
  for (const [index, part] of text.split(';').entries()) {
    isGone = nameOf(part) === name || (isGone && /^[ \t]*\$(?:path|domain|port)[ \t]*(?:=|$)/i.test(part))
    if (index === 0) firstGone = isGone
    if (isGone) lastGone = kept.length
    else kept.push(part)
  }
  return { kept, lastGone, firstGone }
}

function strippedBySplitting(text: string, name: string): string {
  const { kept, lastGone, firstGone } = partsWithout(text, name)
  if (lastGone < 0) return text
  const isBlank = (part: string) => part.replace(blanks, '') === ''
  if (kept.every(isBlank)) return ''
  const tail = kept.slice(lastGone)
  const joined = (tail.every(isBlank) ? kept.slice(0, lastGone) : kept).join(';')
  return firstGone ? joined.replace(/^[ \t]+/, '') : joined
}

describe('cookieValues', () => {
  it.each([
    ['finds a value among others', 'a=1; SRV=s2; b=2', ['s2']],
    ['gives duplicates in the order of the header [LB010]', 'SRV=s2; a=1; SRV=s1', ['s2', 's1']],
    [
      'gives every duplicate, not the first alone [LB136] [LB167] [T-08]',
      'SRV=bad; SRV=good',
      ['bad', 'good'],
    ],
    ['takes the quotes off a quoted value [LB019] [LB168]', 'SRV="s2"', ['s2']],
    ['keeps a quote that has no other', 'SRV="s2; SRV="', ['"s2', '"']],
    ['takes two quotes alone for an empty value', 'SRV=""', ['']],
    ['cuts blanks before the semicolon [LB020]', 'SRV=s2 ; a=1', ['s2']],
    ['cuts blanks and tabs before and after the equals sign [LB226]', 'a=1;\tSRV \t=\t s2\t', ['s2']],
    ['does not take a longer name for it [LB022]', 'XSRV=s2; SRVX=s2; SRVSRV=s2', []],
    ['minds the case of a name [LB103]', 'srv=s2; Srv=s2', []],
    ['does not look for names in values', 'a=SRV=s1; b="SRV=s2"', []],
    ['does not find a name behind a comma', 'd=3,SRV=s2', []],
    ['does not let quotes protect a semicolon [LB224]', 'c="x; SRV=s2"', ['s2"']],
    ['cuts a value of ours at a semicolon in quotes [LB224]', 'SRV="zz;pp"', ['"zz']],
    ['keeps blanks inside quotes [LB223]', 'SRV="zzz "   ', ['zzz ']],
    ['gives an empty value as one', 'SRV=; a=1', ['']],
    ['ignores a name without an equals sign', 'SRV; a=1', []],
    ['keeps an equals sign in the value', 'SRV=a=b==', ['a=b==']],
    ['reads an empty header', '', []],
    ['reads a header of separators', ' ; ;; ', []],
  ])('%s', (_, line, expected) => {
    expect(cookieValues(line, 'SRV')).toEqual(expected)
  })

  it('reads names that look like patterns and like members of Object [T-13]', () => {
    expect(cookieValues('a.b=1; a+b=2; a|b=3', 'a+b')).toEqual(['2'])
    expect(cookieValues('__proto__=1; constructor=2; hasOwnProperty=3', '__proto__')).toEqual(['1'])
  })

  it('leaves percent signs alone, however wrong [T-15]', () => {
    expect(cookieValues('SRV=%E0%A4%A; a=%', 'SRV')).toEqual(['%E0%A4%A'])
  })

  it('agrees with splitting at semicolons, whatever the header', () => {
    fc.assert(
      fc.property(header, fc.constantFrom('SRV', 'S', 'SS', 'a'), (line, name) => {
        expect(cookieValues(line, name)).toEqual(valuesBySplitting(line, name))
      }),
      { numRuns: 3000 },
    )
  })
})

describe('withoutCookie', () => {
  it.each([
    [
      'keeps every other byte [LB014]',
      'a = 1;b=2;  SRV=s1; c="x;y"; $Version=1; flag; d=3,e=4',
      'a = 1;b=2; c="x;y"; $Version=1; flag; d=3,e=4',
    ],
    ['adds no blank [LB015]', 'a=1;SRV=s2;b=2', 'a=1;b=2'],
    ['leaves no separator dangling [LB016]', 'a=1; SRV=s2;', 'a=1'],
    ['leaves nothing of a header that held nothing else [LB017]', 'SRV=s2', ''],
    ['leaves nothing of a header with separators besides', ' ; SRV=s2 ;; ', ''],
    ['takes out every duplicate [LB010]', 'SRV=s2; a=1; SRV=s1', 'a=1'],
    ['takes out neighbours', 'a=1; SRV=s2; SRV=s1; b=2', 'a=1; b=2'],
    ['takes out the first', 'SRV=s2; a=1;  b=2', 'a=1;  b=2'],
    ['takes out the last', 'a=1 ; SRV=s2', 'a=1 '],
    ['takes out one with a blank behind [LB020]', 'SRV=s2 ; a=1', 'a=1'],
    ['takes out one with blanks around the equals sign', 'a=1; SRV = s2; b=2', 'a=1; b=2'],
    ['keeps names that only contain it [LB022]', 'XSRV=s2; SRVX=s2', 'XSRV=s2; SRVX=s2'],
    ['keeps a name of another case', 'srv=s2; SRV=s1', 'srv=s2'],
    ['keeps a name without a value', 'SRV; SRV=s1; SRV', 'SRV; SRV'],
    ['takes its attributes along', '$Version=1; SRV=s1; $Path=/; $Domain=x; a=1', '$Version=1; a=1'],
    ['takes the port along, in any case', 'SRV=s1; $PORT="80"; $path ; a=1', 'a=1'],
    [
      'keeps cookies of the application',
      'SRV=s1; $id=1; $Paths=x; $Path=/; a=1',
      '$id=1; $Paths=x; $Path=/; a=1',
    ],
    ['keeps cookies behind the attributes', 'SRV=s1; $Path=/; $id=1', '$id=1'],
    ['keeps the attributes of others', 'a=1; $Path=/; SRV=s1; b=2; $Path=/', 'a=1; $Path=/; b=2; $Path=/'],
    ['keeps a separator that was dangling before', 'a=1; b=2;', 'a=1; b=2;'],
    ['takes a half of quotes for what browsers take it', 'a="x; SRV=s1; y"', 'a="x; y"'],
  ])('%s', (_, line, expected) => {
    expect(withoutCookie(line, 'SRV')).toBe(expected)
  })

  it('keeps every other pair byte for byte and in order, whatever the header', () => {
    fc.assert(
      fc.property(header, fc.constantFrom('SRV', 'S', 'a', 'b'), (line, name) => {
        expect(withoutCookie(line, name)).toBe(strippedBySplitting(line, name))
      }),
      { numRuns: 3000 },
    )
  })

  it('leaves none of its values, and nothing to do a second time', () => {
    fc.assert(
      fc.property(header, line => {
        const once = withoutCookie(line, 'SRV')
        expect(cookieValues(once, 'SRV')).toEqual([])
        expect(withoutCookie(once, 'SRV')).toBe(once)
      }),
      { numRuns: 3000 },
    )
  })

  it('returns the header itself when the name is not there', () => {
    fc.assert(
      fc.property(header, line => {
        fc.pre(valuesBySplitting(line, 'SRV').length === 0)
        expect(withoutCookie(line, 'SRV')).toBe(line)
      }),
    )
  })
})

describe('a hostile header', () => {
  // Sixteen times the limit of Node: a scan that looks twice at every byte would take seconds.
  const LENGTH = 256 * 1024
  it.each([
    ['semicolons', ';'],
    ['blanks', ' '],
    ['names without a value', 'SRV'],
    ['names and blanks', 'SRV  '],
    ['pairs of ours', 'SRV=x;'],
    ['pairs of ours with attributes', 'SRV=x; $Path;'],
    ['attributes', ';$'],
    ['equals signs', '='],
    ['quotes', 'SRV="'],
    ['half names', 'SR'],
  ])('of %s is read and cut in linear time [T-14]', (_, unit) => {
    const line = `a=1; SRV=x; ${unit.repeat(LENGTH / unit.length)}; b=2`
    const before = performance.now()
    cookieValues(line, 'SRV')
    withoutCookie(line, 'SRV')
    expect(performance.now() - before).toBeLessThan(250)
  })
})

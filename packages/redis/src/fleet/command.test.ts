import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Command, isNewer, parseCommand, SEALED_COMMANDS } from './command.ts'
import { Seal } from './seal.ts'

const COMMAND: Command = { id: 'a', by: 'ops', origin: 'x', atMs: 5, rev: 1, state: 'drain', deadlineAtMs: 9 }
const [NEW, OLD] = ['new', 'old'].map(text => Buffer.from(text.repeat(12))) as [Buffer, Buffer]

describe('commands', () => {
  it('have one order at all gateways', () => {
    const some = fc
      .tuple(fc.nat(2), fc.nat(2), fc.constantFrom('x', 'y'), fc.constantFrom('p', 'q'))
      .map(([atMs, rev, origin, by]): Command => ({ id: 'a', by, origin, atMs, rev }))
    fc.assert(
      fc.property(some, some, (one, other) => {
        const isSame = one.atMs === other.atMs && one.rev === other.rev && one.origin === other.origin
        expect(Number(isNewer(one, other)) + Number(isNewer(other, one))).toBe(isSame ? 0 : 1)
      }),
    )
    expect(isNewer(COMMAND, undefined)).toBe(true)
  })

  it.each<[string, unknown]>([
    ['no object', 'drain'],
    ['without an id', { ...COMMAND, id: undefined }],
    ['at no time', { ...COMMAND, atMs: 'now' }],
    ['of an unknown state', { ...COMMAND, state: 'down' }],
    ['with a half weight', { ...COMMAND, weight: 0.5 }],
    ['with an endless name', { ...COMMAND, by: 'x'.repeat(129) }],
    ['that removes a little', { ...COMMAND, removed: 'yes' }],
  ])('%s are none', (_, value) => {
    expect(parseCommand(value)).toBeUndefined()
  })

  it('are opened by all secrets, and by no other', () => {
    const sealed = new Seal([OLD], 'shop', SEALED_COMMANDS).seal(COMMAND)
    expect(new Seal([NEW, OLD], 'shop', SEALED_COMMANDS).open(sealed)).toEqual(COMMAND)
    expect(new Seal([NEW], 'shop', SEALED_COMMANDS).open(sealed)).toBeUndefined()
    expect(new Seal([OLD], 'other', SEALED_COMMANDS).open(sealed)).toBeUndefined()
    expect(sealed).not.toContain('drain')
  })

  it('that were changed, or are anything else, are not opened', () => {
    const seal = new Seal([NEW], 'shop', SEALED_COMMANDS)
    const sealed = seal.seal(COMMAND)
    fc.assert(
      fc.property(fc.nat(sealed.length - 2), fc.string(), (at, text) => {
        const other = sealed[at] === 'A' ? 'B' : 'A'
        expect(seal.open(sealed.slice(0, at) + other + sealed.slice(at + 1))).toBeUndefined()
        expect(seal.open(text)).toBeUndefined()
      }),
    )
  })
})

import { describe, expect, it } from 'vitest'
import { createAffinity } from './affinity.ts'
import { parseAffinityOptions } from './affinity-options.ts'
import { OptionError } from './options/option.ts'
import type { ForwardField } from './http/request-lines.ts'
import type { AffinityPolicy, Claim, PolicyContext } from './policies/policy.ts'
import { LEAST, POLICY, REQUEST, SECRET } from './affinity-options.fixture.ts'

describe("a policy of the user's", () => {
  const backends = [{ id: 'a', url: 'http://a.test' }]

  it.each<[string, object]>([
    ['affinity[0].read', { read: 1 }],
    ['affinity[0].write', { read: () => [], write: 'x' }],
    ['affinity[0].responded', { read: () => [], responded: 'x' }],
    ['affinity[0].forwardHeaders', { read: () => [], forwardHeaders: () => '' }],
    ['affinity[0].forwardHeaders', { read: () => [], forwardHeaders: { 'X-Pin': () => '' } }],
    ['affinity[0].forwardHeaders', { read: () => [], forwardHeaders: { 'x pin': () => '' } }],
    ['affinity[0].forwardHeaders', { read: () => [], forwardHeaders: { ':path': () => '' } }],
    ['affinity[0].forwardHeaders', { read: () => [], forwardHeaders: { 'content-length': () => '' } }],
    ['affinity[0].forwardHeaders', { read: () => [], forwardHeaders: { connection: () => '' } }],
    ['affinity[0].forwardHeaders', { read: () => [], forwardHeaders: { 'x-forwarded-for': () => '' } }],
    ['affinity[0].forwardHeaders.x-pin', { read: () => [], forwardHeaders: { 'x-pin': '' } }],
    ['affinity[0].sessions', { read: () => [], sessions: 3 }],
    ['affinity[0].name', { read: () => [], name: 5 }],
  ])('with a wrong %s is refused', (option, policy) => {
    expect(() => createAffinity({ backends, affinity: [policy as AffinityPolicy] })).toThrow(
      expect.objectContaining({ name: OptionError.name, option }),
    )
  })

  it('needs no more than read, and may be of a class', () => {
    class Always implements AffinityPolicy {
      readonly #id = 'a'
      read(): Claim {
        return { kind: 'backend', id: this.#id }
      }
    }
    const { policies } = parseAffinityOptions({ backends, affinity: [new Always()] })
    expect(policies[0]?.read(REQUEST)).toEqual({ kind: 'backend', id: 'a' })
  })
})

describe('a function that makes a policy', () => {
  const backends = [{ id: 'a', url: 'http://a.test' }]

  it('gets the pool, the secrets and the clock of its affinity', () => {
    const now = (): number => 5
    let given: PolicyContext | undefined
    const affinity = createAffinity({
      backends,
      secrets: [SECRET],
      now,
      affinity: [
        context => {
          given = context
          return POLICY
        },
      ],
    })
    expect(given).toMatchObject({ pool: affinity.pool, now })
    expect(given?.secrets.map(secret => Buffer.from(secret).toString())).toEqual([SECRET])
  })

  it('that needs a secret is told when there is none', () => {
    const affinity = [({ secrets }: PolicyContext) => (secrets.length > 0 ? POLICY : POLICY)]
    expect(() => createAffinity({ backends, affinity })).toThrow(
      expect.objectContaining({ name: OptionError.name, option: 'secrets' }),
    )
  })

  it('has to return a policy', () => {
    expect(() => createAffinity({ backends, affinity: [(() => undefined) as never] })).toThrow(
      expect.objectContaining({ name: OptionError.name, option: 'affinity[0]' }),
    )
    expect(() => createAffinity({ backends, affinity: [(() => ({ read: 1 })) as never] })).toThrow(
      expect.objectContaining({ name: OptionError.name, option: 'affinity[0].read' }),
    )
  })
})

describe('the fields that a policy of the user forwards', () => {
  function forwarded(forward: (value: string) => unknown): string | undefined {
    const affinity = [{ ...POLICY, forwardHeaders: { 'x-pin': forward as ForwardField } }]
    return parseAffinityOptions({ ...LEAST, affinity }).forwarding.byName.get('x-pin')?.('1', REQUEST)
  }

  it('are those that it returns', () => {
    expect([forwarded(value => `${value}2`), forwarded(() => '')]).toEqual(['12', ''])
  })

  it.each([
    ['a line break', () => '1\r\nX-Admin: 1'],
    ['a character that becomes a line break when it is written', () => '1\u010aX-Admin: 1'],
    ['a zero byte', () => '\0'],
    ['no string', () => undefined],
  ])('are refused with %s, as an edit that cannot be sent', (_, forward) => {
    expect(() => forwarded(forward)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_EDIT', field: 'forwardHeaders.x-pin' }),
    )
  })
})

import { describe, expect, expectTypeOf, it } from 'vitest'
import { OptionError } from './option.ts'
import { needed } from './option-kind.ts'
import { either, list, oneOf } from './composed-kinds.ts'
import { duration } from './duration-kind.ts'
import { boolean, callback, integer, number, text, word } from './plain-kinds.ts'
import { type OptionsOf, optionTable, table, withKinds } from './option-table.ts'

const LIMITS = optionTable({ most: integer({ min: 1, max: 9, default: 3 }), wait: duration({ min: 5 }) })

const OPTIONS = optionTable(
  {
    name: needed(text({ pattern: /^[a-z]+$/, takes: 'small letters' })),
    mode: word(['fast', 'careful', true], { default: 'fast' }),
    share: number({ min: 0, max: 1 }),
    limits: table(LIMITS, {}),
    tags: list(text(), { takes: 'a list of tags', default: [] }),
    as: either({
      plain: word(['raw'], { takes: 'raw, or an object with key or file' }),
      object: oneOf({ key: table(LIMITS), file: text() }),
    }),
    strict: boolean({ default: false }),
  },
  function* ({ strict, mode }, at) {
    if (strict && mode === 'fast') yield new OptionError(at('strict'), strict, 'true only with mode: careful')
  },
)

function errorOf(value: unknown): OptionError {
  try {
    OPTIONS.parse('group', value)
  } catch (error) {
    if (error instanceof OptionError) return error
    throw error
  }
  throw new Error('was taken')
}

describe('a table of options', () => {
  it('has the keys, the defaults and the values in the types of its kinds', () => {
    expect(OPTIONS.keys).toEqual(['name', 'mode', 'share', 'limits', 'tags', 'as', 'strict'])
    expect(OPTIONS.parse('', { name: 'a' })).toEqual({
      name: 'a',
      mode: 'fast',
      limits: { most: 3 },
      tags: [],
      strict: false,
    })
    expect(OPTIONS.parse('', { name: 'a', limits: { wait: '1s' }, as: { file: 'b' } })).toMatchObject({
      limits: { most: 3, wait: 1000 },
      as: { key: 'file', value: 'b' },
    })
    expectTypeOf<OptionsOf<typeof OPTIONS>['name']>().toEqualTypeOf<string>()
    expectTypeOf<OptionsOf<typeof OPTIONS>['mode']>().toEqualTypeOf<'fast' | 'careful' | true | undefined>()
    expectTypeOf(OPTIONS.parse('', { name: 'a' }).share).toEqualTypeOf<number | undefined>()
  })

  it('collects every problem with its path in one error', () => {
    const error = errorOf({
      names: 'a',
      mode: 'carefull',
      share: 2,
      limits: { most: 0, wait: '1ms', least: 1 },
      tags: ['a', 7],
      as: { kee: 1 },
      strict: 'no',
    })
    expect(error.problems).toEqual([
      {
        option: 'group.names',
        message: 'is not known (did you mean name?); known are name, mode, share, limits, tags, as, strict',
      },
      { option: 'group.name', message: 'is missing; it takes small letters' },
      {
        option: 'group.mode',
        message: 'got "carefull" (did you mean careful?); it takes one of fast, careful, true',
      },
      { option: 'group.share', message: 'got 2; it takes a number from 0 to 1' },
      { option: 'group.limits.least', message: 'is not known; known are most, wait' },
      { option: 'group.limits.most', message: 'got 0; it takes a whole number from 1 to 9' },
      { option: 'group.limits.wait', message: 'got "1ms"; it takes a duration of at least 5ms' },
      { option: 'group.tags[1]', message: 'got 7; it takes a text that is not empty' },
      { option: 'group.as.kee', message: 'is not known (did you mean key?); known are key, file' },
      { option: 'group.strict', message: 'got a text of 2 characters; it takes true or false' },
    ])
    expect(error).toMatchObject({ option: 'group.names', code: 'ERR_INVALID_OPTION' })
    expect(error.message.split('\n')).toHaveLength(11)
    expect(error.message).toMatch(/^10 options are wrong:\n- option group\.names is not known/)
  })

  it('looks between the options when each is right by itself', () => {
    expect(errorOf({ name: 'a', strict: true }).problems).toEqual([
      { option: 'group.strict', message: 'got true; it takes true only with mode: careful' },
    ])
    expect(errorOf({ name: 'A', strict: true }).problems).toHaveLength(1)
  })

  it.each([undefined, null, 'x', 7, [], [{ name: 'a' }]])('refuses %j in place of an object', value => {
    expect(errorOf(value).problems.map(({ option }) => option)).toContain('group')
  })

  it('keeps the text of values out of problems', () => {
    const secret = 'correct-horse-battery-staple'
    const { problems } = errorOf({ name: secret, mode: secret, tags: secret, as: secret, share: secret })
    expect(JSON.stringify(problems)).not.toContain(secret)
  })
})

describe('a table of options in a file', () => {
  const inFile = table(OPTIONS)

  function read(value: unknown): { value: unknown; problems: readonly string[] } {
    const errors: OptionError[] = []
    const kept = inFile.readFile('pools.web', value, errors)
    return { value: kept, problems: errors.map(({ option, redacted }) => `${option} ${redacted}`) }
  }

  it('keeps values as they stand there', () => {
    const file = { name: 'a', limits: { wait: '5s' }, as: { key: { wait: 0 } }, tags: ['b'] }
    expect(read({ ...file, as: 'raw' })).toEqual({ value: { ...file, as: 'raw' }, problems: [] })
  })

  it('takes no duration without a unit', () => {
    expect(read({ name: 'a', limits: { wait: 250 } })).toEqual({
      value: { name: 'a', limits: {} },
      problems: [
        'pools.web.limits.wait got 250, a number without a unit; it takes a duration, as 250ms, 5s, 30m, 8h or 7d',
      ],
    })
  })

  it('leaves out what is wrong, and a list with a wrong item as a whole', () => {
    expect(read({ name: 'a', mode: 'carefull', tags: ['a', 1], limits: { most: 0 } }).value).toEqual({
      name: 'a',
      limits: {},
    })
  })

  it('leaves out an object without an option that it needs', () => {
    expect(read({ name: 'A', mode: 'careful' }).value).toBeUndefined()
  })

  it('takes durations within the bounds of the option', () => {
    const wait = (given: string): readonly string[] => read({ name: 'a', limits: { wait: given } }).problems
    expect(wait('5ms')).toEqual([])
    expect(wait('4ms')).toEqual(['pools.web.limits.wait got "4ms"; it takes a duration of at least 5ms'])
    expect(wait('25d')).toEqual([
      'pools.web.limits.wait got "25d"; it takes a duration of at most 24d, as 250ms, 5s, 30m or 8h',
    ])
    expect(wait('soon')).toEqual([
      'pools.web.limits.wait got a text of 4 characters; it takes a duration, as 250ms, 5s, 30m, 8h or 7d',
    ])
  })

  it('may have other kinds for some options, with the checks between them', () => {
    const changed = withKinds(OPTIONS, { share: word(['half']) })
    const errors: OptionError[] = []
    expect(table(changed).readFile('', { name: 'a', share: 'half' }, errors)).toEqual({
      name: 'a',
      share: 'half',
    })
    expect(errors).toEqual([])
    expect(() => changed.parse('', { name: 'a', strict: true })).toThrow('strict')
  })

  it('shows no name of a key that may be a secret', () => {
    expect(read({ name: 'a', 'correct-horse-4-battery-staple': 1 }).problems[0]).toMatch(
      /^pools\.web\.\(a key of 30 characters\) is not known/,
    )
  })

  it('has a JSON Schema', () => {
    expect(inFile.schema).toMatchObject({
      type: 'object',
      required: ['name'],
      additionalProperties: false,
      properties: {
        name: { type: 'string', pattern: '^[a-z]+$' },
        mode: { enum: ['fast', 'careful', true], default: 'fast' },
        share: { type: 'number', minimum: 0, maximum: 1 },
        limits: { type: 'object', properties: { most: { type: 'integer', default: 3 } } },
        tags: { type: 'array', items: { type: 'string', minLength: 1 }, default: [] },
      },
    })
  })
})

describe('a function', () => {
  const CLOCK = optionTable({ now: callback<() => number>({ default: Date.now }) })

  it('is taken as it is, and has its default when it is absent', () => {
    const now = (): number => 7
    expect(CLOCK.parse('', { now }).now).toBe(now)
    expect(CLOCK.parse('', {}).now).toBe(Date.now)
    expectTypeOf(CLOCK.parse('', {}).now).toEqualTypeOf<() => number>()
  })

  it('is refused when it is none', () => {
    const wrong = { now: 7 } as never
    expect(() => CLOCK.parse('clock', wrong)).toThrow('option clock.now got 7; it takes a function')
  })
})

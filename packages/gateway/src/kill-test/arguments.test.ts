import { describe, expect, test } from 'vitest'
import { parseSettings } from './arguments.ts'

describe('the command line', () => {
  test('has defaults', () => {
    expect(parseSettings(['a.yaml'])).toMatchObject({
      source: { file: 'a.yaml' },
      settleMs: 3_000,
      giveUpMs: 60_000,
      maxDurationMs: 600_000,
      ask: [],
      hooks: {},
      budget: { lost: undefined, errors: undefined, loggedOut: undefined, recoveryMs: undefined },
    })
  })

  test('has actions in their order, hooks and budgets', () => {
    const args = [
      '--cart',
      '--ask',
      'restart, kill',
      '--kill',
      'x',
      '--max-lost',
      '0',
      '--max-recovery',
      '10s',
    ]
    expect(parseSettings(args)).toMatchObject({
      source: { preset: 'cart' },
      ask: ['kill', 'restart'],
      hooks: { kill: 'x' },
      budget: { lost: 0, recoveryMs: 10_000 },
    })
  })

  test('tells everything that is wrong', () => {
    const args = [
      'a.yaml',
      '--cart',
      '--url',
      'shop',
      '--sessions',
      '0',
      '--settle',
      'soon',
      '--ask',
      'explode',
    ]
    expect(() => parseSettings(args)).toThrow(
      /^--url is no HTTP address[^]*one scenario[^]*--sessions got "0"[^]*--ask got "explode"[^]*--settle got "soon"/,
    )
  })

  test('never repeats a password of a URL', () => {
    expect(() => parseSettings(['--cart', '--url', 'http://me:secret@127.0.0.1/'])).toThrow(
      /^(?!.*secret).*password/,
    )
  })

  test('suggests the option that was meant', () => {
    expect(() => parseSettings(['--max-lots', '0'])).toThrow(
      '--max-lots is not known; did you mean --max-lost?',
    )
  })
})

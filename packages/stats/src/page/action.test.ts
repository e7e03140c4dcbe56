import type { BackendFigures } from '@limpet/core'
import { describe, expect, it } from 'vitest'
import { type Action, type ActionName, actionName, changeOf, consequences } from './action.ts'
import { poolOf } from './figures.fixture.ts'

interface Facts {
  readonly value?: string
  readonly spread?: string
  readonly w1?: Partial<BackendFigures>
  readonly w2?: Partial<BackendFigures>
}

/** An action at `w1`, beside `w2`. */
function action(name: ActionName, { value = '', spread = '', w1 = {}, w2 = {} }: Facts = {}): Action {
  const pool = poolOf({ w1, w2 })
  const [backend] = pool.backends
  if (backend === undefined) throw new Error('no backend')
  return { name, pool, backend, value, spread }
}

describe('an action', () => {
  it('is one of four, and nothing else', () => {
    expect(actionName('maint')).toBe('maint')
    for (const text of [null, '', 'Maint', 'remove'])
      expect(() => actionName(text)).toThrow('The action is not known.')
  })

  it.each<[string, Action, unknown]>([
    ['ready', action('ready'), { state: 'ready' }],
    ['a drain', action('drain', { value: '10m' }), { state: 'drain', deadline: '10m' }],
    ['no spread', action('drain', { value: '10m', spread: '0s' }), { state: 'drain', deadline: '10m' }],
    [
      'a spread',
      action('drain', { value: '10m', spread: '30s' }),
      { state: 'drain', deadline: '10m', spread: '30s' },
    ],
    ['a weight', action('weight', { value: '256' }), { weight: 256 }],
  ])('of %s becomes a change', (_, given, change) => {
    expect(changeOf(given)).toEqual(change)
  })

  it.each<[Action, RegExp]>([
    ...['', '999ms', '8d', 'soon'].map((value): [Action, RegExp] => [
      action('drain', { value }),
      /^The deadline takes/,
    ]),
    [action('drain', { value: '10m', spread: '2d' }), /^The time in which sessions move takes/],
    ...['', '-1', '257', '1.5', '1e2'].map((value): [Action, RegExp] => [
      action('weight', { value }),
      /^The weight takes a whole number/,
    ]),
  ])('with a wrong value is refused: %o', (given, message) => {
    expect(() => changeOf(given)).toThrow(message)
    expect(() => consequences(given)).toThrow(message)
  })
})

describe('the effects of an action', () => {
  it.each<[string, Action, readonly (string | RegExp)[]]>([
    ['ready', action('ready'), ['w1 takes new sessions.']],
    [
      'ready, of one that is down and drains',
      action('ready', {
        w1: {
          healthy: false,
          drain: { startedAtMs: 0, deadlineAtMs: 1, spreadMs: 0, startedSessions: undefined },
        },
      }),
      ['w1 takes new sessions.', /^Its drain is cancelled/, /^It is down now/],
    ],
    [
      'a drain',
      action('drain', { value: '10m', w1: { sessions: 1 } }),
      [/^1 session stays, at most 10 minutes\./, /^Sessions that are left then move with their next request/],
    ],
    [
      'a drain over some time',
      action('drain', { value: '10m', spread: '5m', w1: { sessions: 2, sessionsEstimated: true } }),
      [/^About 2 sessions stay, at most 15 minutes\./, /^Sessions that are left then move over 5 minutes/],
    ],
    [
      'a drain of the last one',
      action('drain', { value: '10m', w1: { sessions: undefined }, w2: { weight: 0 } }),
      [/^All sessions stay,/, /./, /^No other backend takes new sessions/],
    ],
    [
      'maintenance',
      action('maint', { w1: { sessions: 3, inFlight: 3, tunnels: 1 } }),
      [/^3 sessions move to another/, '2 requests in flight may end.', '1 WebSocket stays open.'],
    ],
    [
      'maintenance of the last one',
      action('maint', { w1: { sessions: 0 }, w2: { healthy: false } }),
      [/^0 sessions move/, /^No other backend is available/],
    ],
    ['a weight', action('weight', { value: '3' }), [/^w1 gets about 75 % of new sessions/]],
    ['no weight', action('weight', { value: '0' }), [/^w1 takes no new session/]],
    [
      'a weight beside a backup, which takes no share',
      action('weight', { value: '3', w2: { backup: true } }),
      [/^w1 gets about 100 %/],
    ],
  ])('are told of %s', (_, given, lines) => {
    expect(consequences(given)).toEqual(lines.map(line => expect.stringMatching(line)))
  })
})

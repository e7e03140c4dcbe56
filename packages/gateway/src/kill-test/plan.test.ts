import { expect, test } from 'vitest'
import { parseSettings } from './arguments.ts'
import { plan } from './plan.ts'
import type { Hooks, Scenario } from './scenario.ts'
import { parseScenario } from './scenario-file.ts'

function planned(args: readonly string[], seen: readonly string[], backends: Record<string, Hooks> = {}) {
  const settings = parseSettings(['--cart', ...args])
  if (settings === 'help') throw new Error('no settings')
  const scenario: Scenario = {
    ...parseScenario('repeat: [{ get: / }]', ''),
    backends: new Map(Object.entries(backends)),
  }
  return plan(scenario, settings, seen).map(actions =>
    actions.map(({ action, backend, command }) => [action, backend, command].filter(Boolean).join(' ')),
  )
}

test('asks for kill and restart of each backend that has answered, without hooks', () => {
  expect(planned([], ['b', 'a'])).toEqual([
    ['kill a', 'restart a'],
    ['kill b', 'restart b'],
  ])
  expect(planned([], [])).toEqual([['kill', 'restart']])
})

test('runs the hooks in the order of the actions, those of a backend before those of all', () => {
  const args = ['--restart', 'up', '--kill', 'down', '--ask', 'drain']
  expect(planned(args, ['c'], { a: { kill: 'own' }, b: {} })).toEqual([
    ['drain a', 'kill a own', 'restart a up'],
    ['drain b', 'kill b down', 'restart b up'],
  ])
  expect(planned(['--kill', 'down', '--backends', 'b'], ['a', 'b'])).toEqual([['kill b down']])
})

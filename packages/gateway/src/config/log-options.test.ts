import type { OptionError } from '@limpet/core'
import { expect, it } from 'vitest'
import { LOG } from './log-options.ts'

function read(value: unknown): { log: unknown; problems: readonly string[] } {
  const errors: OptionError[] = []
  const log = LOG.read('log', value, errors)
  return { log, problems: errors.flatMap(({ problems }) => problems.map(({ option }) => option)) }
}

it('logs all requests unless it is told otherwise', () => {
  expect(read(undefined).log).toEqual({ access: true, sample: 1, skip: [], level: 'info' })
})

it('leaves out requests by path, by status, or by both', () => {
  const skip = [{ path: '/health' }, { status: '2xx' }, { path: '/assets/', status: 304 }]
  expect(read({ skip })).toMatchObject({ log: { skip }, problems: [] })
})

it.each([
  [{ skip: [{}] }, 'log.skip[0]'],
  [{ skip: [{ path: 'health' }] }, 'log.skip[0].path'],
  [{ skip: [{ path: '/a?b' }] }, 'log.skip[0].path'],
  [{ skip: [{ status: 99 }] }, 'log.skip[0].status'],
  [{ skip: [{ status: '6xx' }] }, 'log.skip[0].status'],
  [{ sample: 1.1 }, 'log.sample'],
  [{ level: 'trace' }, 'log.level'],
])('refuses %j at %s', (value, option) => {
  expect(read(value).problems).toContain(option)
})

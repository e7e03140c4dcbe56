import { expect, it } from 'vitest'
import { Scope } from './nginx-scope.ts'
import { Report } from './report.ts'
import type { Statement } from './statement.ts'

function statement(name: string, ...args: readonly string[]): Statement {
  return { name, args, line: 1 }
}

it('has the directives of its block, or those of the nearest block around it', () => {
  const [far, near, other] = [
    statement('root', '/a'),
    statement('root', '/b'),
    statement('proxy_set_header', 'X'),
  ]
  const report = new Report()
  const server = new Scope([far, other], report).within([near])
  const location = server.within([])
  expect(location.last('root')).toBe(near)
  expect([report.isTaken(near), report.isTaken(far)]).toEqual([true, false])
  expect(location.all('proxy_set_header')).toEqual([other])
  expect([location.own('root'), location.last('alias')]).toEqual([[], undefined])
})

it('does not take the directives that it only shows', () => {
  const report = new Report()
  const location = statement('location', '/')
  expect(new Scope([location], report).own('location')).toEqual([location])
  expect(report.isTaken(location)).toBe(false)
})

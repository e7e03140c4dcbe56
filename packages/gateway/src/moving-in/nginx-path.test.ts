import { expect, it } from 'vitest'
import { pathOf } from './nginx-path.ts'
import { Report } from './report.ts'

it.each([
  [['/'], '/', []],
  [['/cart/'], '/cart/', []],
  [['^~', '/cart/'], '/cart/', []],
  [['/cart'], '/cart', ['changed location /cart']],
  [['=', '/cart'], '/cart', ['changed location = /cart']],
  [['~', '^/cart'], undefined, ['lost location ~']],
  [['@name'], undefined, ['lost location @name']],
  [['^~', 'cart'], undefined, ['changed location cart', 'lost location ^~']],
])('the location %j has the path %s', (args, path, findings) => {
  const report = new Report()
  expect(pathOf({ name: 'location', args, line: 1 }, report)).toBe(path)
  expect(report.findings.map(({ kind, what }) => `${kind} ${what}`)).toEqual(findings)
})

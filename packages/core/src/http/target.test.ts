import { expect, it } from 'vitest'
import { isSendable, isUnparsable, underBase } from './target.ts'

it.each([
  ['/', true, false],
  ['/a%20b?c=d', true, false],
  ['/caf\u00e9', true, false],
  ['', false, false],
  ['/a b', false, true],
  ['/a\tb', false, true],
  ['/a\u007f', false, true],
  ['/a\u0100', false, true],
  ['/a\\b', false, false],
  ['/a#b', false, false],
])('%j may be sent: %s, and no parser lets it pass: %s', (url, sendable, unparsable) => {
  expect([isSendable(url), isUnparsable(url)]).toEqual([sendable, unparsable])
})

it.each([
  ['/base', '/x?y', '/base/x?y'],
  ['/base/', '/x?y', '/base/x?y'],
  ['/', '/', '/'],
  ['/base/', '//x', '/base//x'],
])('puts %2$s under %1$s', (base, target, url) => {
  expect(underBase(base, target)).toBe(url)
})

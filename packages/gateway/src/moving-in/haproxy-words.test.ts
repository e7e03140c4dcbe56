import { expect, it } from 'vitest'
import { haproxyLoss, isQuiet } from './haproxy-words.ts'

it.each([
  ['daemon', '', true],
  ['option', 'httplog', true],
  ['option', 'httpchk', false],
  ['timeout', 'server', true],
  ['stats', 'enable', true],
  ['stats', 'auth', false],
  ['tune.ssl.lifetime', '5', true],
  ['acl', 'a', false],
])('needs nothing for %s %s: %s', (name, first, is) => {
  expect(isQuiet({ name, args: [first], line: 1 })).toBe(is)
})

it.each([
  ['acl', 'secret', 'acl', 'limpet has no such conditions'],
  [
    'http-request',
    'deny',
    'http-request deny',
    'limpet sets and removes constant fields, and has no other rules',
  ],
  ['option', 'httpchk', 'option httpchk', 'limpet has no equivalent'],
  ['.if', 'x', '.if', 'other files and conditions are not read'],
  ['userlist', 'admins', 'userlist', 'limpet has no such section'],
])('tells of %s %s that %s is lost: %s', (name, first, what, why) => {
  expect(haproxyLoss({ name, args: [first, 'hush'], line: 1 })).toEqual({ what, why })
})

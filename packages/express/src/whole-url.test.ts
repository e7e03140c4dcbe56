import { expect, it } from 'vitest'
import { wholeUrl } from './whole-url.ts'

it.each([
  ['/x?y', '', '/x?y', '/x?y'],
  ['/x?y', '/app', '/app/x?y', '/app/x?y'],
  // A router adds the slash that a path begins with, or removes one of two.
  ['/?y', '/app', '/app?y', '/app?y'],
  ['/x', '/app', '/app//x', '/app//x'],
  // Edited by earlier middleware.
  ['/z', '/app', '/app/x', '/app/z'],
  ['/app/x', '/app', '/app/x', '/app/x'],
  ['http://h/x', '/app', 'http://h/app/x', 'http://h/app/x'],
  ['http://h/z', '/app', 'http://h/app/x', 'http://h/app/z'],
])('of url %s, baseUrl %j and originalUrl %s is %s', (url, baseUrl, originalUrl, whole) => {
  expect(wholeUrl({ url, baseUrl, originalUrl })).toBe(whole)
})

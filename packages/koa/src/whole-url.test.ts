import type { Context } from 'koa'
import { expect, it } from 'vitest'
import { wholeUrl } from './whole-url.ts'

it.each([
  ['/x?y', '/x?y', undefined, '/x?y'],
  ['/x?y', '/app/x?y', '/app', '/app/x?y'],
  ['/', '/app', '/app', '/app'],
  ['/?y', '/app?y', '/app/', '/app?y'],
  // A mount within another mount.
  ['/x', '/outer/app/x', '/app', '/outer/app/x'],
  // Edited by earlier middleware.
  ['/z', '/app/x', '/app', '/app/z'],
  ['/app/z', '/app/x', '/app', '/app/z'],
  ['/application', '/app/x', '/app', '/app/application'],
  ['/z', '/x', undefined, '/z'],
])('of url %s, originalUrl %s and mountPath %s is %s', (url, originalUrl, mountPath, whole) => {
  expect(wholeUrl({ url, originalUrl, mountPath } as unknown as Context)).toBe(whole)
})

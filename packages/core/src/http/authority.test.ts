import { expect, it } from 'vitest'
import { isAuthority } from './authority.ts'

it('an empty Host names no host, as the first of a process too', () => {
  expect([isAuthority(''), isAuthority('a.test:80'), isAuthority('')]).toEqual([false, true, false])
})

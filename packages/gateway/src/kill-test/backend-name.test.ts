import { expect, it } from 'vitest'
import { backendName } from './backend-name.ts'

it.each(['w1', '10.0.0.1:80', 'ns/pod-0', '[::1]:80', 'a+b=~', 'x'.repeat(200)])('takes %j', name => {
  expect(backendName(name)).toBe(name)
})

it.each([undefined, '', '-rf', 'a b', 'a;b', '$(a)', 'a\n', 'x'.repeat(201)])('takes no %j', name => {
  expect(backendName(name)).toBeUndefined()
})

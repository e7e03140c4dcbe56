import { expect, it } from 'vitest'
import { decisionText } from './decision-field.ts'
import type { Explanation } from './explanation.ts'

const EXPLANATION: Explanation = {
  pool: 'web',
  backend: 'w7',
  status: 'none',
  by: 'balancer',
  reason: 'the request has no key, so round-robin gives it w7',
  policies: [],
  balancer: 'round-robin',
  backends: Array.from({ length: 1000 }, (_, n) => ({ id: `w${n}`, candidate: true })),
}

it('is of 4096 characters at most, and keeps the backends that it names', () => {
  const text = decisionText(EXPLANATION)
  expect(text.length).toBeLessThanOrEqual(4096)
  const { backends, backendsLeftOut = 0 } = JSON.parse(text) as Explanation
  expect(backends[0]).toEqual({ id: 'w7', candidate: true })
  expect(backends.length + backendsLeftOut).toBe(1000)
  expect(backends.length).toBeGreaterThan(10)
})

it('leaves out the policies where their keys alone are too long', () => {
  const keys = Array.from({ length: 200 }, () => ({ claim: 'invalid', value: 'x'.repeat(30) }) as const)
  const text = decisionText({ ...EXPLANATION, policies: [{ policy: 'cookie', keys }] })
  expect(text.length).toBeLessThanOrEqual(4096)
  expect(JSON.parse(text)).toMatchObject({ backend: 'w7', policies: [], backendsLeftOut: 1000 })
})

it('is ASCII, whatever a policy is called', () => {
  const policy = 'p\u00e9\u2028\u{1f600}\r\n'
  const text = decisionText({ ...EXPLANATION, backends: [], policies: [{ policy, keys: [] }] })
  expect(text).toMatch(/^[ -~]*$/)
  expect(JSON.parse(text)).toMatchObject({ policies: [{ policy }] })
})

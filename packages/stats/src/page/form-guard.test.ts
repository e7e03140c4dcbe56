import { expect, it } from 'vitest'
import { FormGuard } from './form-guard.ts'

const HOUR_MS = 3_600_000
const OURS = { host: 'gateway.test:8404', origin: 'http://gateway.test:8404' }

it('takes a token for one to two hours, and for its credentials alone', () => {
  let nowMs = HOUR_MS - 1
  const guard = new FormGuard(() => nowMs)
  const token = guard.token('eva')
  guard.check(OURS, 'eva', token)
  nowMs = 2 * HOUR_MS - 1
  guard.check(OURS, 'eva', token)
  for (const [credentials, text] of [
    ['adam', token],
    ['eva', null],
    ['eva', `${token}x`],
    ['eva', new FormGuard(() => nowMs).token('eva')],
  ] as const)
    expect(() => guard.check(OURS, credentials, text)).toThrow('The form is too old.')
  nowMs = 2 * HOUR_MS
  expect(() => guard.check(OURS, 'eva', token)).toThrow('The form is too old.')
})

it.each([
  ['of the same site by its own word', { ...OURS, 'sec-fetch-site': 'same-origin' }],
  ['without Origin, where the browser says the site', { host: 'a', 'sec-fetch-site': 'same-origin' }],
  ['whose TLS ended before', { host: 'gateway.test', origin: 'https://gateway.test' }],
])('takes a request %s', (_, headers) => {
  const guard = new FormGuard(() => 0)
  expect(() => guard.check(headers, '', guard.token(''))).not.toThrow()
})

it.each([
  ['that no browser has sent', { host: 'a' }],
  ['of another site', { host: 'a', origin: 'http://b' }],
  ['of another port', { host: 'a:1', origin: 'http://a:2' }],
  ['of a sandboxed page', { host: 'null', origin: 'null' }],
  ['of another site by its own word', { ...OURS, 'sec-fetch-site': 'same-site' }],
])('refuses a request %s', (_, headers) => {
  const guard = new FormGuard(() => 0)
  expect(() => guard.check(headers, '', guard.token(''))).toThrow('No page of another site')
})

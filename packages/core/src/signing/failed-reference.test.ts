import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { isFailedReference } from './failed-reference.ts'

it.each([
  '${LIMPET_COOKIE_SIGNING_SECRET_V1}',
  'prefix-${LIMPET_SECRET:-none}-suffix',
  '$LIMPET_SECRET',
  '"$LIMPET_SECRET"',
  '$(cat /run/secrets/limpet_cookie_secret)',
  '{{ .Values.limpet.secret }}',
  '<your secret of at least 32 bytes>',
  '%LIMPET_SECRET%',
  'process.env.LIMPET_COOKIE_SIGNING_SECRET',
  "process.env['LIMPET_SECRET']",
  'import.meta.env.LIMPET_SECRET',
  'env.LIMPET_COOKIE_SIGNING_SECRET_1',
  'env:LIMPET_COOKIE_SIGNING_SECRET_1',
  'file:/run/secrets/limpet_cookie_secret',
  'LIMPET_COOKIE_SIGNING_SECRET_V1_OLD',
  'undefined',
  'null',
  '[object Object]',
  'changeme-before-you-deploy-this-please',
  'CHANGE_ME',
  'Change this to something else, please!',
  'replace-me-0123456789-0123456789-0123456789',
  'your-secret-here-0123456789-0123456789',
])('%s is no secret', text => expect(isFailedReference(text)).toBe(true))

it.each([
  'correct horse battery staple, and then some more',
  'a-secret-of-the-tests-0123456789abcdef',
  'environment-of-the-tests-0123456789abcdef',
  '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy',
  'yours-truly-0123456789-0123456789-0123456789',
])('%s may be one', text => expect(isFailedReference(text)).toBe(false))

it('random secrets are none of them, in any of the usual alphabets', () => {
  for (let times = 0; times < 2_000; times += 1)
    for (const alphabet of ['base64', 'base64url', 'hex'] as const)
      expect(isFailedReference(randomBytes(32).toString(alphabet))).toBe(false)
})

import { expect } from 'vitest'
import { type HeaderLines, valuesOf } from '../support/header-lines.ts'

export const JSON_TYPE = { 'Content-Type': 'application/json' }

/** Header edits that set and remove fields, and a client that sends its own. */
export const OPERATOR = {
  requestHeaders: {
    set: { 'X-Gateway-Auth': 'yes', 'X-Forwarded-Prefix': '/shop', Host: 'set.example' },
    remove: ['X-Debug'],
  },
}

export const FORGED = { 'x-gateway-auth': 'yes', 'x-forwarded-prefix': '/evil', 'x-debug': '1', 'x-a': '1' }

export function expectOperators(lines: HeaderLines): void {
  const fields = ['x-gateway-auth', 'x-forwarded-prefix', 'host', 'x-debug', 'x-a']
  expect(fields.map(name => valuesOf(lines, name))).toEqual([['yes'], ['/shop'], ['set.example'], [], ['1']])
}

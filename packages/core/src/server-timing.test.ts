import { expect, it } from 'vitest'
import { TICKS_PER_MS } from './counts/ticks.ts'
import type { HeaderFields } from './http/heads.ts'
import { addServerTiming } from './server-timing.ts'

it.each<[string | string[] | undefined, string]>([
  [undefined, 'limpet;desc="matched";dur=1.5'],
  ['db;dur=5', 'db;dur=5, limpet;desc="matched";dur=1.5'],
  [['db;dur=5', 'cache'], 'db;dur=5, cache, limpet;desc="matched";dur=1.5'],
])('adds its member behind %j', (known, expected) => {
  const fields: HeaderFields = { 'server-timing': known }
  addServerTiming(fields, 'matched', 1.5 * TICKS_PER_MS)
  expect(fields['server-timing']).toBe(expected)
})

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { describedSchema } from '../support/described-schema.ts'

const FILE = new URL('../../packages/gateway/schema.json', import.meta.url)

test('the JSON Schema of the package is the one of the tables, with a description of each option', () => {
  const shipped: unknown = JSON.parse(readFileSync(FILE, 'utf8'))
  // If it is not: npm run schema.
  expect(shipped).toEqual(describedSchema())
})

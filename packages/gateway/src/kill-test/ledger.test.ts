import { describe, expect, test } from 'vitest'
import { Ledger } from './ledger.ts'

describe('a ledger', () => {
  test('tells each lost value once', () => {
    const ledger = new Ledger()
    ledger.wrote('a')
    ledger.wrote('b')
    expect(ledger.unread).toBe(2)
    expect(ledger.read(['a', 'b', 'of another write'])).toBe(0)
    ledger.wrote('c')
    expect(ledger.read(['c'])).toBe(2)
    expect(ledger.read(['c'])).toBe(0)
    expect(ledger.unread).toBe(0)
  })

  test('counts lost increments, and takes more than expected', () => {
    const ledger = new Ledger()
    expect([7, 8, 10, 1, 2].map(count => ledger.counted(count))).toEqual([0, 0, 0, 10, 0])
  })
})

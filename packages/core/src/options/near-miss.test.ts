import { describe, expect, it } from 'vitest'
import { nearMiss } from './near-miss.ts'

describe('the word that was meant', () => {
  const words = ['name', 'path', 'maxIdle', 'maxLife', 'sameSite', 'cookie']

  it.each([
    ['nam', 'name'],
    ['naem', 'name'],
    ['ptah', 'path'],
    ['aenm', undefined],
    ['maxidle', 'maxIdle'],
    ['max_idle', 'maxIdle'],
    ['maxLive', 'maxLife'],
    ['samesite', 'sameSite'],
    ['cookies', 'cookie'],
    ['', undefined],
    ['expires', undefined],
    ['x'.repeat(2_000), undefined],
  ])('by %j is %j', (word, expected) => {
    expect(nearMiss(word, words)).toBe(expected)
  })
})

import { createAffinity, type Pool } from '@limpet/core'
import { describe, expect, it } from 'vitest'
import { applyCommand } from './apply-command.ts'
import type { Command } from './command.ts'

const NOW_MS = Date.UTC(2030, 0, 1)

function poolOf(...ids: readonly string[]): Pool {
  const backends = ids.map(id => ({ id, url: `http://${id}.test` }))
  return createAffinity({ backends, affinity: [], now: () => NOW_MS }).pool
}

function apply(pool: Pool, facts: Partial<Command>, isNews = true): void {
  const command = { id: 'a', by: 'ops', origin: 'x', atMs: NOW_MS, rev: 1, ...facts }
  applyCommand(pool, command, isNews, NOW_MS)
}

describe('a command', () => {
  it('sets the weight and the state of its backend, and leaves out one that is not there', () => {
    const pool = poolOf('a', 'b')
    apply(pool, { weight: 7, state: 'maint' })
    apply(pool, { id: 'c', weight: 7 })
    expect(pool.backends.map(({ backend: { id }, weight, state }) => [id, weight, state])).toEqual([
      ['a', 7, 'maint'],
      ['b', 1, 'ready'],
    ])
  })

  it('adds a backend once, replaces it when its url is another, and removes it', () => {
    const pool = poolOf('a')
    apply(pool, { id: 'b', added: { url: 'http://b.test' } })
    const first = pool.find('b')
    apply(pool, { id: 'b', added: { url: 'http://b.test/' } })
    expect(pool.find('b')).toBe(first)
    apply(pool, { id: 'b', added: { url: 'http://c.test' } })
    expect(pool.find('b')?.backend.url.href).toBe('http://c.test/')
    apply(pool, { id: 'b', removed: true })
    expect(pool.find('b')).toBeUndefined()
  })
})

describe('a drain', () => {
  const drain = { state: 'drain', deadlineAtMs: NOW_MS + 60_000, spreadMs: 10_000 } as const

  it('has the time that is left of it', () => {
    const pool = poolOf('a', 'b')
    apply(pool, drain)
    expect([pool.find('a')?.state, pool.drainOf('a')?.deadlineAtMs]).toEqual(['drain', NOW_MS + 60_000])
    pool.setState('a', 'ready')
  })

  it('moves sessions over the rest of its spread when its deadline has passed', () => {
    const pool = poolOf('a', 'b')
    apply(pool, { ...drain, deadlineAtMs: NOW_MS - 4_000 })
    expect(pool.drainOf('a')).toMatchObject({ deadlineAtMs: NOW_MS, spreadMs: 6_000 })
    pool.setState('a', 'ready')
  })

  it('is maintenance when it is over', () => {
    const pool = poolOf('a', 'b')
    apply(pool, { ...drain, deadlineAtMs: NOW_MS - 10_000 })
    expect(pool.find('a')?.state).toBe('maint')
  })

  it('that goes on or has ended is left alone, unless it is news', () => {
    const pool = poolOf('a', 'b')
    apply(pool, drain)
    const going = pool.drainOf('a')
    apply(pool, drain, false)
    expect(pool.drainOf('a')).toBe(going)
    pool.setState('a', 'maint')
    apply(pool, drain, false)
    expect(pool.find('a')?.state).toBe('maint')
    apply(pool, drain)
    expect(pool.find('a')?.state).toBe('drain')
    pool.setState('a', 'ready')
  })

  it('without a deadline is a state like another', () => {
    const pool = poolOf('a', 'b')
    apply(pool, { state: 'drain' })
    expect([pool.find('a')?.state, pool.drainOf('a')]).toEqual(['drain', undefined])
  })
})

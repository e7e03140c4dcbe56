import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Backend } from '../pool/backend.ts'
import type { CheckDuty, CheckedState } from '../pool/check-duty.ts'
import { LivePool } from '../pool/live-pool.ts'
import { checked, closers, healthy, pass, type Said } from './checked-pool.fixture.ts'

/** Two pools of one gateway: what one tells, the other hears at once. */
class SharedDuty implements CheckDuty {
  readonly states: Map<string, CheckedState>
  readonly #listeners = new Set<(id?: string) => void>()
  readonly #others: SharedDuty[]
  #isOn: boolean

  constructor(isOn: boolean, others: SharedDuty[] = [], states = new Map<string, CheckedState>()) {
    this.#isOn = isOn
    this.states = states
    this.#others = others
    others.push(this)
  }

  get isOn(): boolean {
    return this.#isOn
  }

  get others(): SharedDuty[] {
    return this.#others
  }

  known({ id }: Backend): CheckedState | undefined {
    return this.states.get(id)
  }

  tell({ id }: Backend, state: CheckedState): void {
    if (!this.#isOn) return
    this.states.set(id, state)
    for (const other of this.#others) if (other !== this) other.hear(id)
  }

  forget({ id }: Backend): void {
    if (this.#isOn) this.states.delete(id)
  }

  watch(listener: (id?: string) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  hear(id: string): void {
    for (const listener of this.#listeners) listener(id)
  }

  set(isOn: boolean): void {
    this.#isOn = isOn
    for (const listener of this.#listeners) listener()
  }
}

function poolWith(duty: CheckDuty, ids = 'ab'): LivePool {
  const pool = new LivePool(
    'p',
    Array.from(ids, id => ({ id, url: `http://${id}.test` })),
  )
  pool.shareChecks(duty)
  return pool
}

function twoProcesses(verdicts: Map<string, Said>) {
  const first = new SharedDuty(true)
  const second = new SharedDuty(false, first.others, first.states)
  return {
    first: checked('', {}, verdicts, poolWith(first)),
    second: checked('', {}, verdicts, poolWith(second)),
    duties: [first, second] as const,
  }
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] }))
afterEach(() => {
  for (const close of closers.splice(0)) close()
  vi.useRealTimers()
})

it('makes the checks in one process, and all have the results', async () => {
  const verdicts = new Map<string, Said>()
  const { first, second } = twoProcesses(verdicts)
  await pass(20_000)
  expect(first.asked.length).toBeGreaterThan(0)
  expect(second.asked).toEqual([])
  expect([healthy(first.pool), healthy(second.pool)]).toEqual(['ab', 'ab'])
  verdicts.set('a', 'sick').set('b', 'drain')
  await pass(40_000)
  expect([healthy(first.pool), healthy(second.pool)]).toEqual(['b', 'b'])
  expect(second.pool.find('b')?.selfDraining).toBe(true)
})

it('goes on in another process, with its results, one interval after the last check', async () => {
  const verdicts = new Map<string, Said>([['a', 'sick']])
  const { first, second, duties } = twoProcesses(verdicts)
  await pass(40_000)
  expect(healthy(second.pool)).toBe('b')
  const before = first.asked.length
  duties[0].set(false)
  duties[1].set(true)
  // The known state stays until a check says otherwise.
  expect(healthy(second.pool)).toBe('b')
  await pass(10_000)
  expect(first.asked.length).toBe(before)
  expect(second.asked.toSorted()).toEqual(['a', 'b'])
  verdicts.clear()
  await pass(30_000)
  expect([healthy(first.pool), healthy(second.pool)]).toEqual(['ab', 'ab'])
})

it('counts results in a row towards fall and rise, whichever process has seen them', async () => {
  const verdicts = new Map<string, Said>()
  const { second, duties } = twoProcesses(verdicts)
  await pass(20_000)
  verdicts.set('a', 'sick')
  const against = (): number | undefined => duties[0].states.get('a')?.against
  for (let count = 0; count < 60 && against() !== 2; count += 1) await pass(1_000)
  expect(healthy(second.pool)).toBe('ab')
  duties[0].set(false)
  duties[1].set(true)
  // The third failure in a row.
  await pass(12_000)
  expect(second.asked.filter(id => id === 'a')).toHaveLength(1)
  expect(healthy(second.pool)).toBe('b')
})

it('gives a backend that joins the state that another process has found', async () => {
  const verdicts = new Map<string, Said>([['c', 'sick']])
  const { first, second } = twoProcesses(verdicts)
  first.pool.add({ id: 'c', url: 'http://c.test' })
  await pass(40_000)
  second.pool.add({ id: 'c', url: 'http://c.test' })
  expect(healthy(second.pool)).toBe('ab')
})

it('checks a backend that leaves maintenance as a new one', async () => {
  const verdicts = new Map<string, Said>([['a', 'sick']])
  const { first, second } = twoProcesses(verdicts)
  await pass(40_000)
  for (const { pool } of [first, second]) {
    pool.setState('a', 'maint')
    pool.setState('a', 'ready')
  }
  const isUpAtFirst = healthy(first.pool)
  expect(healthy(second.pool)).toBe(isUpAtFirst)
  verdicts.clear()
  await pass(15_000)
  expect([healthy(first.pool), healthy(second.pool)]).toEqual(['ab', 'ab'])
})

import { expect, it, onTestFinished, vi } from 'vitest'
import { Estimates } from './estimates.ts'

/** Estimates of a store whose replies the test gives. */
function setUp() {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const asked: PromiseWithResolvers<number>[] = []
  const estimates = new Estimates(() => {
    const question = Promise.withResolvers<number>()
    asked.push(question)
    return question.promise
  })
  async function reply(count: number): Promise<void> {
    asked.at(-1)?.resolve(count)
    await vi.advanceTimersByTimeAsync(0)
  }
  return { estimates, asked, reply }
}

it('knows nothing at first, and asks once', async () => {
  const { estimates, asked, reply } = setUp()
  expect([estimates.count('a'), estimates.count('a'), asked.length]).toEqual([undefined, undefined, 1])
  await reply(7)
  expect([estimates.count('a'), asked.length]).toEqual([7, 1])
})

it('asks again for each backend after a second, and gives the old one meanwhile', async () => {
  const { estimates, asked, reply } = setUp()
  estimates.count('a')
  await reply(7)
  await vi.advanceTimersByTimeAsync(1_000)
  expect([estimates.count('a'), asked.length]).toEqual([7, 1])
  await vi.advanceTimersByTimeAsync(1)
  expect([estimates.count('a'), asked.length]).toEqual([7, 2])
  await reply(8)
  expect(estimates.count('a')).toBe(8)
  expect([estimates.count('b'), asked.length]).toEqual([undefined, 3])
})

it('does not give an old one, and asks again after a failure', async () => {
  const { estimates, asked, reply } = setUp()
  estimates.count('a')
  await reply(7)
  await vi.advanceTimersByTimeAsync(3_001)
  expect(estimates.count('a')).toBeUndefined()
  asked.at(-1)?.reject(new Error('away'))
  await vi.advanceTimersByTimeAsync(0)
  expect([estimates.count('a'), asked.length]).toEqual([undefined, 3])
})

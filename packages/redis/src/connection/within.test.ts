import { expect, it, onTestFinished, vi } from 'vitest'
import { DeadlineError, within } from './within.ts'

it('settles as the operation does, and leaves no timer', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  expect(await within(1_000, Promise.resolve('a'))).toBe('a')
  await expect(within(1_000, Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(vi.getTimerCount()).toBe(0)
})

it('is an error when there is no reply in time', async () => {
  await expect(within(1, new Promise(() => {}))).rejects.toEqual(new DeadlineError(1))
})

it('still counts a reply that is there when a late timer fires', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const reply = Promise.withResolvers<string>()
  const result = within(1_000, reply.promise)
  vi.advanceTimersByTime(1_000)
  reply.resolve('late')
  expect(await result).toBe('late')
})

import { expect, it } from 'vitest'
import { settle } from './settle.ts'

/** The calls of `done` and `failed`, at once and after all promises have settled. */
async function callsOf(call: () => unknown, done?: () => void): Promise<readonly (readonly string[])[]> {
  const calls: string[] = []
  settle(
    call,
    () => {
      calls.push('done')
      done?.()
    },
    error => calls.push(`failed: ${(error as Error).message}`),
  )
  const atOnce = [...calls]
  await new Promise(resolve => {
    setImmediate(resolve)
  })
  return [atOnce, calls]
}

function fail(): never {
  throw new Error('no')
}

it.each<[string, () => unknown, readonly string[], readonly string[]]>([
  ['returns', () => 1, ['done'], ['done']],
  ['throws', fail, ['failed: no'], ['failed: no']],
  ['resolves', async () => 1, [], ['done']],
  ['rejects', async () => fail(), [], ['failed: no']],
])('of a function that %s', async (_, call, atOnce, after) => {
  expect(await callsOf(call)).toEqual([atOnce, after])
})

it('tells that what follows has failed', async () => {
  expect(await callsOf(() => 1, fail)).toEqual([
    ['done', 'failed: no'],
    ['done', 'failed: no'],
  ])
  expect(await callsOf(async () => 1, fail)).toEqual([[], ['done', 'failed: no']])
})

import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { lingerAtEnd } from './linger.ts'

async function closeListeners(times: number): Promise<number> {
  const socket = new PassThrough()
  for (let turn = 0; turn < times; turn += 1) lingerAtEnd(socket)
  const finished = once(socket, 'finish')
  socket.end('the last word')
  await finished
  const count = socket.listenerCount('close')
  socket.destroy()
  return count
}

test('a socket that is told twice to linger has the listeners of one that is told once', async () => {
  expect(await closeListeners(2)).toBe(await closeListeners(1))
})

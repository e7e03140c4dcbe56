import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { trackListeners } from './track-listeners.ts'

it('removes later listeners, and no others', () => {
  const socket = new PassThrough()
  const heard: string[] = []
  const hear = (what: string) => () => void heard.push(what)
  socket.on('error', hear('error')).once('close', hear('close')).on('finish', hear('finish'))
  const forget = trackListeners(socket)
  socket.on('error', hear('late error')).once('close', hear('late close')).on('finish', hear('late finish'))
  forget()
  for (const event of ['error', 'close', 'finish']) socket.emit(event)
  expect(heard).toEqual(['error', 'close', 'finish', 'late finish'])
})

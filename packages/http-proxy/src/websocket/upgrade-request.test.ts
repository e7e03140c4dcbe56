import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { expect, it } from 'vitest'
import { isWebSocket } from './upgrade-request.ts'

const LINES = ['Connection', 'keep-alive, Upgrade', 'Upgrade', 'WebSocket']

function isOne(facts: Partial<IncomingMessage>): boolean {
  const request = Object.assign(new IncomingMessage(new Socket()), { method: 'GET', httpVersion: '1.1' })
  request.rawHeaders = LINES
  // An application's edit does not count.
  request.headers = { upgrade: 'h2c' }
  return isWebSocket(Object.assign(request, facts))
}

it.each([
  [{}, true],
  [{ rawHeaders: ['connection', 'upgrade', 'upgrade', 'websocket'] }, true],
  [{ rawHeaders: ['Connection', 'close', 'Connection', 'Upgrade', 'Upgrade', 'websocket'] }, true],
  [{ method: 'POST' }, false],
  [{ httpVersion: '1.0' }, false],
  [{ rawHeaders: ['Connection', 'Upgrade', 'Upgrade', 'h2c, websocket'] }, false],
  [{ rawHeaders: ['Connection', 'Upgrade', 'Upgrade', 'websocket', 'Upgrade', 'h2c'] }, false],
  [{ rawHeaders: ['Connection', 'keep-alive', 'Upgrade', 'websocket'] }, false],
  [{ rawHeaders: ['Upgrade', 'websocket'] }, false],
])('a request with %j asks for a WebSocket: %s', (facts, is) => {
  expect(isOne(facts)).toBe(is)
})

import type { Server as HttpServer } from 'node:http'
import { Server } from 'socket.io'
import { io, type Socket } from 'socket.io-client'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Backend } from '../support/backend.ts'
import { startProgram } from './started-program.ts'

/** A backend with a Socket.IO server, which knows its own clients alone. */
class ChatBackend extends Backend {
  protected override prepare(server: HttpServer): void {
    new Server(server).on('connection', socket => {
      socket.on('who', reply => (reply as (id: string) => void)(this.id))
    })
  }
}

describe.each(['fastify', 'express', 'koa'])('Socket.IO in an application on %s', framework => {
  const backends = ['w1', 'w2'].map(id => new ChatBackend(id))
  const program = startProgram(`socket-io-${framework}.js`, {}, backends)

  function connect(path: string): Socket {
    const options = { path, withCredentials: true, forceNew: true, reconnection: false }
    const socket = io(`http://127.0.0.1:${program.port}`, options)
    onTestFinished(() => void socket.disconnect())
    return socket
  }

  /** Settles when a connected client has gone from polling to a WebSocket. */
  async function upgraded(socket: Socket): Promise<void> {
    const { engine } = socket.io
    if (engine.transport.name === 'websocket') return
    const { promise, resolve } = Promise.withResolvers()
    engine.once('upgrade', resolve)
    await promise
  }

  test('keeps the clients of backends on their backend, by polling and by WebSocket', async () => {
    const sockets = Array.from({ length: 4 }, () => connect('/socket.io'))
    const ids = sockets.map(async socket => {
      const first: unknown = await socket.emitWithAck('who')
      await upgraded(socket)
      expect(await socket.emitWithAck('who')).toBe(first)
      return String(first)
    })
    expect((await Promise.all(ids)).toSorted()).toEqual(['w1', 'w1', 'w2', 'w2'])
  })

  test('leaves the clients of the application to the application', async () => {
    const own = connect('/own/socket.io')
    expect(await own.emitWithAck('who')).toBe('application')
    await upgraded(own)
    expect(await own.emitWithAck('who')).toBe('application')
  })
})

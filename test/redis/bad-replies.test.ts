import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listenOnNextPort } from '../support/free-port.ts'
import { hasNoRedis, RedisServer } from '../support/redis-server.ts'
import { noteStates, openTable, ready } from '../support/redis-table.ts'

/** Gives a reply to each packet of commands. */
type Reply = (socket: Socket) => void

/** A server that is no Redis, at an address that a Redis takes over. */
class FalseRedis {
  readonly port: number
  readonly #close: () => Promise<unknown>

  private constructor(port: number, close: () => Promise<unknown>) {
    this.port = port
    this.#close = close
  }

  static async start(reply: Reply): Promise<FalseRedis> {
    const sockets = new Set<Socket>()
    const server = createServer(socket => {
      sockets.add(socket)
      socket.on('error', () => {}).on('data', () => reply(socket))
    })
    const port = await listenOnNextPort(server)
    const close = async (): Promise<void> => {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    }
    onTestFinished(close)
    return new FalseRedis(port, close)
  }

  /** A real one takes its place. */
  async replace(): Promise<RedisServer> {
    await this.#close()
    const redis = new RedisServer(this.port)
    onTestFinished(async () => redis.remove())
    await redis.start()
    return redis
  }
}

describe.skipIf(hasNoRedis)('a server', () => {
  it.each<[string, Reply, RegExp]>([
    [
      'of HTTP',
      socket => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
      /protocol of Redis: Unknown RESP/,
    ],
    ['of bytes', socket => void socket.write('\u0000\u0001\u0002\r\n'), /protocol of Redis: Unknown RESP/],
    [
      'of more replies than commands',
      socket => void socket.write(':1\r\n'.repeat(50)),
      /protocol of Redis: /,
    ],
    ['that closes each connection', socket => void socket.destroy(), /closed/],
    ['that says nothing', () => undefined, /no reply within 2000 ms/],
    ['of half a reply', socket => void socket.write('$100\r\nhalf'), /no reply within 2000 ms/],
    ['of an endless reply', socket => void socket.write('*1000000000\r\n'), /no reply within 2000 ms/],
  ])(
    '%s is down, and sessions are written to the Redis that takes its place',
    async (_what, reply, reason) => {
      const states = noteStates()
      const server = await FalseRedis.start(reply)
      const here = openTable({ url: `redis://127.0.0.1:${server.port}` })
      here.set('s', 'a')
      await expect.poll(() => states).not.toEqual([])
      expect(states[0]).toMatchObject({ state: 'down', reason: expect.stringMatching(reason) as string })
      expect([here.table.get('s'), here.table.get('x')]).toEqual(['a', undefined])
      const redis = await server.replace()
      await ready(here)
      const there = openTable({ url: redis.url })
      await expect.poll(async () => there.get('s')).toBe('a')
      expect(await here.get('s')).toBe('a')
    },
  )
})

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { createAffinity, isAffinityError } from '@limpet/core'
import { NoBackendError } from '@limpet/core/adapter'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listening } from '../listening.fixture.ts'
import { writeResponse } from '../exchange/response.ts'
import { httpProxyOf } from '../http-proxy.ts'
import { parseHttpProxyOptions } from '../http-proxy-options.ts'
import { noteRefusal, refuseAfterRefusal } from './refused-connection.ts'

function connectTo(port: number): Socket {
  const client = connect(port, '127.0.0.1')
  onTestFinished(() => void client.destroy())
  return client
}

const TWO_HOSTS = 'GET /refused HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'
const SOUND = 'GET /sound HTTP/1.1\r\nHost: a\r\n\r\n'
const LENGTHS = 'POST /refused HTTP/1.1\r\nHost: a b\r\nContent-Length: 3\r\n\r\nabc'

describe('a connection on which a message was refused', () => {
  /** A gateway that keeps connections whatever the response asks for, and the results at clients and at the backend. */
  async function gateway() {
    const seen: unknown[] = []
    const told: unknown[] = []
    const port = await listening(({ url }, response) => {
      seen.push(url)
      response.end('answer')
    })
    const proxy = httpProxyOf(
      parseHttpProxyOptions({ backends: [{ id: 'a', url: `http://127.0.0.1:${port}` }], affinity: [] }),
    )
    onTestFinished(() => proxy.close())
    return {
      seen,
      told,
      proxy,
      port: await listening((request, response) => {
        response.setHeader('Connection', 'keep-alive')
        proxy.forward(request, response).then(
          answer => {
            told.push(answer?.statusCode)
            if (answer !== undefined) writeResponse(response, answer)
          },
          (error: unknown) => {
            told.push(isAffinityError(error) ? `${error.statusCode} ${error.message}` : error)
            response.end('error')
          },
        )
      }),
    }
  }

  it.each([
    ['pipelined behind it', (refused: string) => [refused + SOUND + SOUND]],
    ['sent when it was answered', (refused: string) => [refused, SOUND, SOUND]],
  ])('has nothing of it believed any more: what is %s reaches no backend', async (_, pieces) => {
    for (const refused of [TWO_HOSTS, LENGTHS]) {
      const { seen, told, port } = await gateway()
      const client = connectTo(port)
      for (const piece of pieces(refused)) {
        client.write(piece)
        await once(client, 'data')
      }
      await expect.poll(() => told).toHaveLength(3)
      // The first response comes no sooner than those behind it: its request took longer to check.
      expect(told.filter(said => said === '400 an earlier message was refused')).toHaveLength(2)
      expect(told).toContainEqual(expect.stringMatching(/^400 Host /))
      expect(seen).toEqual([])
    }
  })

  it('ends with the response, also when the application leaves out the fields of the error', async () => {
    const proxy = httpProxyOf(parseHttpProxyOptions({ backends: [], affinity: [] }))
    onTestFinished(() => proxy.close())
    const port = await listening((request, response) => {
      proxy.forward(request, response).catch(() => response.end('error'))
    })
    for (const refused of [TWO_HOSTS, LENGTHS]) {
      const client = connectTo(port)
      client.write(refused)
      const received = await text(client)
      expect(received).toMatch(/\r\nConnection: close\r\n/)
      expect(received).toMatch(/error\r\n0\r\n\r\n$|error$/)
    }
  })

  it('has what came before it answered, and others know nothing of it', async () => {
    const { seen, told, port } = await gateway()
    const [client, other] = [connectTo(port), connectTo(port)]
    client.write(SOUND)
    await once(client, 'data')
    client.write(TWO_HOSTS)
    await once(client, 'data')
    other.write(SOUND)
    await once(other, 'data')
    expect(told).toEqual([200, '400 Host is repeated', 200])
    expect(seen).toEqual(['/sound', '/sound'])
  })

  it('is one of a refusal alone: after any other 503 it goes on', async () => {
    const { seen, told, proxy, port } = await gateway()
    const client = connectTo(port)
    proxy.affinity.pool.setHealthy('a', false)
    client.write(SOUND)
    await once(client, 'data')
    proxy.affinity.pool.setHealthy('a', true)
    client.write(SOUND)
    await once(client, 'data')
    expect(told).toEqual(['503 no backend is available', 200])
    expect(seen).toEqual(['/sound'])
  })

  it.each([
    ['another error of ours', new NoBackendError()],
    ['an error of other code', new Error('no')],
    ['what is no error', undefined],
  ])('is not one of %s', async (_, error) => {
    const noted = Promise.withResolvers<unknown>()
    const port = await listening((request, response) => {
      noteRefusal(request, response, error)
      noted.resolve(refuseAfterRefusal(request))
      response.end()
    })
    connectTo(port).write(SOUND)
    expect(await noted.promise).toBeUndefined()
  })

  it('is known by the refusal, wherever it was thrown', async () => {
    const affinity = createAffinity({ backends: [], affinity: [] })
    const noted = Promise.withResolvers<unknown>()
    const port = await listening((request, response) => {
      const error = Object.assign(new Error('of another copy of core'), { code: 'ERR_REFUSED_REQUEST' })
      noteRefusal(request, response, error)
      try {
        refuseAfterRefusal(request)
      } catch (refusal) {
        noted.resolve(refusal)
      }
      response.end()
    })
    connectTo(port).write(SOUND)
    expect(await noted.promise).toMatchObject({ statusCode: 400, reason: 'framing' })
    expect(affinity.pool.backends).toEqual([])
  })
})

import { gzipSync } from 'node:zlib'
import { responseInterceptor } from '@limpet/http-proxy'
import { describe, expect, test } from 'vitest'
import { startBackend } from '../support/backend.ts'
import { ask } from '../support/http-client.ts'
import { MOUNTED, type MountOptions } from '../support/mounted-app.ts'
import { bare, echo, echoWith, resetMidBody } from '../support/scripts.ts'
import { upgradeClients } from '../support/upgrade-clients.ts'

const { raw } = upgradeClients()

type Events = NonNullable<MountOptions['on']>

function fail(): never {
  throw new Error('mine')
}

describe.each(MOUNTED)('%s', (_, start) => {
  describe('on.proxyRes', () => {
    test.each([
      ['at once', (edit: () => void) => edit()],
      ['later', async (edit: () => void) => new Promise(setImmediate).then(edit)],
    ])('edits the response %s, and never the framing', async (_when, run) => {
      const w1 = await startBackend('w1', echoWith(200, { 'X-Gone': '1', 'Keep-Alive': 'timeout=9' }))
      const seen: unknown[] = []
      const { port } = await start([w1], {
        on: {
          proxyRes: (response, { url }, client) =>
            run(() => {
              seen.push(response.statusCode, url, response.headers['set-cookie']?.length)
              seen.push(Object.keys(response.headers).includes('keep-alive'))
              client.setHeader('X-App', '1')
              response.statusCode = 201
              response.headers['x-set'] = '1'
              response.headers['content-length'] = '1'
              delete response.headers['x-gone']
            }),
        },
      })
      for (const path of ['/a', '/b']) {
        const answer = await ask(port, { path })
        const names = ['x-app', 'x-set', 'x-gone']
        expect([answer.status, answer.echo.url, ...names.map(name => answer.header(name))]).toEqual([
          201,
          path,
          '1',
          '1',
          undefined,
        ])
      }
      expect(seen).toEqual([200, '/a', 1, false, 200, '/b', 1, false])
      expect(w1.connections).toBe(1)
    })

    test.each<[string, NonNullable<Events['proxyRes']>]>([
      ['throws', fail],
      ['rejects', async () => fail()],
      ['sets a line break', ({ headers }) => void (headers['x-a'] = 'a\r\nb: c')],
      ['sets a symbol', ({ headers }) => void Object.assign(headers, { 'x-a': Symbol('a') })],
      ['sets a status that is none', response => void (response.statusCode = 99)],
      ['sets a status without a body', response => void (response.statusCode = 204)],
      ['sets a text for the headers', response => void Object.assign(response, { headers: 'text' })],
    ])('that %s is 500, and blames no backend', async (_what, proxyRes) => {
      const w1 = await startBackend('w1')
      const { port, affinity, errors } = await start([w1], { on: { proxyRes } })
      const answer = await ask(port)
      expect([answer.status, answer.header('x-a'), errors.length]).toEqual([500, undefined, 1])
      await expect.poll(() => affinity.pool.inFlight).toBe(0)
      expect(affinity.pool.find('w1')?.failures).toBe(0)
    })

    test('that never settles holds nothing when the client leaves', async () => {
      const w1 = await startBackend('w1')
      const called = Promise.withResolvers<void>()
      const { port, affinity, errors } = await start([w1], {
        on: {
          proxyRes() {
            called.resolve()
            return new Promise(() => {})
          },
        },
      })
      const client = await raw(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')
      await called.promise
      client.socket.destroy()
      await expect.poll(() => affinity.pool.inFlight).toBe(0)
      expect(errors).toEqual([])
    })
  })

  describe('selfHandleResponse', () => {
    test('leaves the response to on.proxyRes', async () => {
      const w1 = await startBackend('w1')
      const { port, affinity } = await start([w1], {
        selfHandleResponse: true,
        on: {
          proxyRes(response, _request, client) {
            client.writeHead(203, { 'X-Own': '1', 'Content-Type': 'text/plain' })
            response.pipe(client)
          },
        },
      })
      const answer = await ask(port)
      expect([answer.status, answer.header('x-own'), answer.echo.id]).toEqual([203, '1', 'w1'])
      expect((await ask(port, { method: 'HEAD' })).status).toBe(203)
      await expect.poll(() => affinity.pool.inFlight).toBe(0)
    })

    test.each([
      ['throws', fail],
      ['rejects', async () => fail()],
    ])('a listener that %s after its head is a cut, and the application is told', async (_what, end) => {
      const w1 = await startBackend('w1')
      const { port, affinity, errors } = await start([w1], {
        selfHandleResponse: true,
        on: {
          proxyRes(_response, _request, client) {
            client.writeHead(200).write('begun')
            return end()
          },
        },
      })
      const client = await raw(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')
      await client.until(() => client.closed)
      expect(client.received).not.toContain('\r\n0\r\n')
      await expect.poll(() => [affinity.pool.inFlight, errors.length]).toEqual([0, 1])
      expect(affinity.pool.find('w1')?.failures).toBe(0)
    })

    test('a backend that dies in the middle cuts the response', async () => {
      const w1 = await startBackend('w1', resetMidBody('content-length'))
      const { port, affinity } = await start([w1], {
        selfHandleResponse: true,
        on: { proxyRes: (response, _request, client) => void response.pipe(client.writeHead(200)) },
      })
      const client = await raw(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')
      await client.until(() => client.closed)
      expect(client.received).not.toContain('\r\n0\r\n')
      await expect.poll(() => affinity.pool.inFlight).toBe(0)
    })
  })

  describe('responseInterceptor', () => {
    const intercepting = (on: Parameters<typeof responseInterceptor>[0]): MountOptions => ({
      selfHandleResponse: true,
      on: { proxyRes: responseInterceptor(on) },
    })
    const shout = intercepting(async body => body.toString().toUpperCase())

    test.each([
      ['as it is', {}, Buffer.from('héllo')],
      ['in gzip', { 'Content-Encoding': 'gzip' }, gzipSync('héllo')],
    ])('changes a body %s, and keeps status, fields and the cookie', async (_what, headers, body) => {
      const w1 = await startBackend('w1', ({ response }) => {
        response.writeHead(201, { 'X-A': '1', 'Set-Cookie': 'a=1', ...headers }).end(body)
      })
      const { port } = await start([w1], shout)
      const answer = await ask(port)
      expect([answer.status, answer.text, answer.header('x-a')]).toEqual([201, 'HÉLLO', '1'])
      expect([answer.header('content-encoding'), answer.header('content-length')]).toEqual([undefined, '6'])
      expect(answer.cookies().map(line => line.split('=')[0])).toEqual(['a', 'SERVERID'])
    })

    test('passes responses without a body', async () => {
      const w1 = await startBackend('w1')
      const { port, affinity } = await start([w1], shout)
      const head = await ask(port, { method: 'HEAD' })
      expect([head.status, head.body.length, Number(head.header('content-length')) > 9]).toEqual([
        200,
        0,
        true,
      ])
      w1.script = bare(204, { 'X-A': '1' })
      const empty = await ask(port)
      expect([empty.status, empty.header('x-a')]).toEqual([204, '1'])
      await expect.poll(() => affinity.pool.inFlight).toBe(0)
    })

    test.each<[string, MountOptions, typeof echo, number]>([
      ['an interceptor that throws', intercepting(fail), echo, 500],
      ['an interceptor that returns a number', intercepting(async () => 1 as never), echo, 500],
      ['a backend that dies in the middle', shout, resetMidBody('content-length'), 502],
      ['a broken coding', shout, echoWith(200, { 'Content-Encoding': 'gzip' }), 502],
    ])('%s ends with an error, and nothing is in flight', async (_what, options, script, status) => {
      const { port, affinity, errors } = await start([await startBackend('w1', script)], options)
      expect((await ask(port)).status).toBe(status)
      expect(errors).toHaveLength(1)
      await expect.poll(() => affinity.pool.inFlight).toBe(0)
    })
  })
})

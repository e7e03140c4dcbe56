import { Agent } from 'node:http'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startBackend } from '../support/backend.ts'
import { joinedValue, valuesOf } from '../support/header-lines.ts'
import { applicationThat, type Edit, editing } from './editing.ts'
import type { Start } from './start.ts'

/** An application's edits of the method, the target and the framing of a request. */
export function requestEdits(start: Start): void {
  const { pair, arrived } = editing(start)

  describe('a method that the application has edited', () => {
    test('is what the backend sees', async () => {
      const { w1, gateway } = await pair(request => (request.method = 'PUT'))
      const answer = await gateway.ask({ method: 'POST', body: 'hello' })
      expect([w1.last.method, answer.echo.bytes]).toEqual(['PUT', 5])
    })

    test.each<unknown>([5, '', 'a b', 'PUT\r\nX-Evil: 1', null])(
      'is an error of the application where it is none, and no failure of a backend: %j',
      async method => {
        const w1 = await startBackend('w1')
        let isBad = true
        const around = applicationThat(request => isBad && Object.assign(request, { method }))
        const gateway = await start([w1], { around, passive: { fall: 1 } })
        const answer = await gateway.ask()
        isBad = false
        expect([answer.status, w1.seen]).toEqual([500, []])
        expect(answer.text).not.toContain('Evil')
        const [view] = gateway.affinity.pool.backends
        expect([view?.healthy, view?.inFlight]).toEqual([true, 0])
      },
    )
  })

  describe('framing is that of the wire, whatever the application writes', () => {
    const edits: [string, Edit][] = [
      ['removed', ({ headers }) => void delete headers['content-length']],
      ['set to 0', ({ headers }) => void (headers['content-length'] = '0')],
      ['made longer', ({ headers }) => void (headers['content-length'] = '500')],
      ['made shorter', ({ headers }) => void (headers['content-length'] = '2')],
      ['nonsense', ({ headers }) => void Object.assign(headers, { 'content-length': 'x\r\n' })],
      ['beside a coding', ({ headers }) => void (headers['transfer-encoding'] = 'chunked')],
      [
        'in place of a coding',
        ({ headers }) => {
          delete headers['transfer-encoding']
          headers['content-length'] ??= '3'
        },
      ],
    ]
    test.each(edits)('a length that is %s [B12]', async (_, edit) => {
      const { w1, gateway } = await pair(edit)
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      onTestFinished(() => agent.destroy())
      // Fastify's own limit reads the field, too: before limpet does.
      for (const body of ['hello', [Buffer.from('hel'), Buffer.from('lo')]]) {
        const answer = await gateway.ask({ agent, method: 'POST', body })
        expect([answer.status, answer.echo.bytes]).toEqual([200, 5])
        const framing = w1.last.lines.filter(([name]) => /^(?:content-length|transfer-encoding)$/i.test(name))
        expect(framing).toHaveLength(1)
      }
      expect((await gateway.ask({ agent })).echo.bytes).toBe(0)
    })

    test('an edit after limpet has taken the request changes nothing [B12]', async () => {
      const w1 = await startBackend('w1')
      const edit: Edit = ({ headers }) => queueMicrotask(() => void delete headers['content-length'])
      const gateway = await start([w1], { around: applicationThat(edit) })
      const answer = await gateway.ask({ method: 'POST', body: 'hello' })
      expect([answer.status, answer.echo.bytes]).toEqual([200, 5])
      expect(valuesOf(w1.last.lines, 'transfer-encoding')).toEqual([])
    })

    test('fields of the connection are not the application’s to write [B12]', async () => {
      const edit: Edit = ({ headers }) =>
        void Object.assign(headers, {
          connection: 'x-a',
          'keep-alive': 'timeout=1',
          te: 'trailers',
          trailer: 'x-t',
          upgrade: 'h2c',
          expect: '100-continue',
        })
      const lines = await arrived(edit, ['X-A: 1'])
      expect(valuesOf(lines, 'x-a')).toEqual(['1'])
      const names = lines.map(([name]) => name.toLowerCase())
      for (const name of ['keep-alive', 'te', 'trailer', 'upgrade', 'expect'])
        expect(names).not.toContain(name)
      expect(joinedValue(lines, 'connection') ?? 'keep-alive').toBe('keep-alive')
    })
  })

  describe('a target that the application has edited', () => {
    test.each(['/', '/new', '/new?x=1&x=%2f', '//evil.test/x'])('%s arrives [B2]', async url => {
      const { w1, gateway } = await pair(request => void (request.url = url))
      await gateway.ask({ path: '/old?y' })
      expect(w1.last.url).toBe(url)
    })

    test.each(['/a b', '/a\r\nX-Evil: 1', '/\0', '/\u010aX-Evil:1'])(
      '%j is an error of the application [B2]',
      async url => {
        let isBad = true
        const { w1, gateway } = await pair(request => {
          if (isBad) request.url = url
        })
        expect([(await gateway.ask({ path: '/old' })).status, w1.seen]).toEqual([500, []])
        isBad = false
        expect((await gateway.ask()).status).toBe(200)
      },
    )

    test.each(['new', '?x', '', '*', 'http://evil.test/'])('%j never arrives [B2]', async url => {
      const { w1, gateway } = await pair(request => {
        if (request.url === '/old') request.url = url
      })
      const { status } = await gateway.ask({ path: '/old' })
      // Fastify keeps no target before an edit, so such a one counts as the client's; a router may find no route.
      expect([400, 404, 500]).toContain(status)
      expect(w1.seen).toEqual([])
    })
  })
}

import { describe, expect, test } from 'vitest'
import { valuesOf } from '../support/header-lines.ts'
import { startTunnelBackend } from '../support/tunnel-backend.ts'
import { handshakeText, upgradeClients } from '../support/upgrade-clients.ts'
import { type Edit, editing } from './editing.ts'
import type { Start } from './start.ts'

/** Fields that a client nominates in Connection, or spells in another way, beside those of the application and the operator. */
export function nominatedFields(start: Start): void {
  const { raw } = upgradeClients()
  const { pair, arrived } = editing(start)

  describe('a client that nominates fields in Connection', () => {
    test('does not remove those that the application has set [H1]', async () => {
      const edit: Edit = ({ headers }) =>
        void Object.assign(headers, {
          'x-gateway-auth': 'yes',
          'x-forwarded-prefix': '/shop',
          'x-real-ip': '7.7.7.7',
        })
      const lines = await arrived(edit, [
        'Connection: close, X-Gateway-Auth, X-Forwarded-Prefix, X-Real-IP, X-Mine',
        'X-Mine: 1',
        'X-Gateway-Auth: no',
        'X-Forwarded-Prefix: /evil',
      ])
      expect(valuesOf(lines, 'x-gateway-auth')).toEqual(['yes'])
      expect(valuesOf(lines, 'x-forwarded-prefix')).toEqual(['/shop'])
      expect(valuesOf(lines, 'x-real-ip')).toEqual(['7.7.7.7'])
      expect(valuesOf(lines, 'x-mine')).toEqual([])
    })

    test.each<[string, Edit]>([
      ['sets', ({ headers }) => void Object.assign(headers, { 'x-user': 'alice', 'x-role': 'guest' })],
      [
        'puts other headers in place of',
        request => void (request.headers = { ...request.headers, 'x-user': 'alice', 'x-role': 'guest' }),
      ],
    ])('does not remove those that the application %s, even with the same words [H1]', async (_, edit) => {
      const { w1, gateway } = await pair(edit)
      const forged = 'X-User: alice\r\nX-Role: guest'
      const nominated = 'X-User, x-role'
      const text = `GET / HTTP/1.1\r\nHost: a\r\nConnection: close, ${nominated}\r\n${forged}\r\n\r\n`
      expect((await gateway.raw(text)).answers.map(({ status }) => status)).toEqual([200])
      expect([valuesOf(w1.last.lines, 'x-user'), valuesOf(w1.last.lines, 'x-role')]).toEqual([
        ['alice'],
        ['guest'],
      ])
    })

    test('removes those that the application has only read [H1]', async () => {
      const seen: unknown[] = []
      const lines = await arrived(
        ({ headers }) => {
          seen.push(headers['x-mine'], { ...headers }['x-mine'])
          headers['x-user'] = 'alice'
        },
        ['Connection: close, X-User, X-Mine', 'X-Mine: 1', 'X-User: alice'],
      )
      expect(seen).toEqual(['1', '1'])
      expect([valuesOf(lines, 'x-user'), valuesOf(lines, 'x-mine')]).toEqual([['alice'], []])
    })

    test('does not remove those that the operator has set, even with the same words [H1]', async () => {
      const w1 = await startTunnelBackend('w1')
      const requestHeaders = {
        set: { 'X-Gateway-Auth': 'yes', 'X-Forwarded-Prefix': '/shop' },
        remove: ['X-Debug'],
      }
      const gateway = await start([w1], { requestHeaders })
      const forged = ['X-Gateway-Auth: yes', 'x-forwarded-prefix: /evil', 'X-Debug: 1', 'X-A: 1']
      const nominated = 'X-Gateway-Auth, X-Forwarded-Prefix'
      await gateway.raw(
        `GET / HTTP/1.1\r\nHost: a\r\nConnection: close, ${nominated}\r\n${forged.join('\r\n')}\r\n\r\n`,
      )
      const text = handshakeText(...forged).replace(
        'Connection: Upgrade',
        `Connection: Upgrade, ${nominated}`,
      )
      await raw(gateway.port, text)
      const handshake = await w1.handshake()
      for (const lines of [w1.last.lines, handshake.lines]) {
        expect(valuesOf(lines, 'x-gateway-auth')).toEqual(['yes'])
        expect(valuesOf(lines, 'x-forwarded-prefix')).toEqual(['/shop'])
        expect(valuesOf(lines, 'x-debug')).toEqual([])
        expect(valuesOf(lines, 'x-a')).toEqual(['1'])
      }
    })
  })

  describe('a second spelling of a field, with _ in place of -', () => {
    test('does not arrive beside one that the application has edited [H1]', async () => {
      const edit: Edit = ({ headers }) => {
        headers['x-user'] = 'alice'
        headers['x_team'] = 'blue'
        headers['x-user-id'] = undefined
      }
      const lines = await arrived(edit, ['X_User: root', 'X-Team: red', 'X_User_Id: 0', 'X_Other: 1'])
      expect(lines.filter(([name]) => /^x.(?:user|team|other)/i.test(name))).toEqual([
        ['X_Other', '1'],
        ['x-user', 'alice'],
        ['x_team', 'blue'],
      ])
    })

    test('does not arrive beside one of the operator, or of the client [H1]', async () => {
      const w1 = await startTunnelBackend('w1')
      const requestHeaders = { set: { 'X-User': 'alice' }, remove: ['X-Debug'] }
      const gateway = await start([w1], { requestHeaders })
      const forged = ['X_User: root', 'X_Debug: 1', 'X_A: 1', 'X-A: 2', 'X_Forwarded_For: 1.2.3.4', 'X_B: 1']
      await gateway.raw(`GET / HTTP/1.1\r\nHost: a\r\n${forged.join('\r\n')}\r\n\r\n`)
      await raw(gateway.port, handshakeText(...forged))
      const handshake = await w1.handshake()
      for (const lines of [w1.last.lines, handshake.lines]) {
        expect(lines.filter(([name]) => /^x.(?:user|debug|a|b)$/i.test(name))).toEqual([
          ['X-A', '2'],
          ['X_B', '1'],
          ['X-User', 'alice'],
        ])
        expect(lines.filter(([name]) => name.includes('_'))).toEqual([['X_B', '1']])
      }
    })

    test('of a field that frames the message does not arrive', async () => {
      const lines = await arrived(() => {}, ['Transfer_Encoding: chunked', 'Content_Length: 5', 'X-A: 1'])
      expect(lines.filter(([name]) => name.includes('_'))).toEqual([])
    })
  })
}

import type { AffinityPolicy } from '@limpet/core'
import { describe, expect, test } from 'vitest'
import { startBackends } from '../support/backend.ts'
import { joinedValue } from '../support/header-lines.ts'
import { openRaw } from '../support/raw-client.ts'
import type { Start } from './start.ts'

/** Policies of the user's own, and those that have to ask elsewhere first. */
export function remotePolicies(start: Start): void {
  /** Binds a session to the backend that its `X-Session` names, once this has settled. */
  function policy(until: () => Promise<unknown>): AffinityPolicy {
    return {
      name: 'test',
      read({ headers }) {
        const id = headers['x-session']
        return until().then(() => (typeof id === 'string' ? { kind: 'backend', id } : { kind: 'none' }))
      },
      responded({ backend }, fields) {
        fields['x-session'] = backend.id
      },
    }
  }

  describe('policies that ask elsewhere', () => {
    test('the answer is waited for, with the body', async () => {
      const gateway = await start(await startBackends('w1', 'w2', 'w3'), {
        affinity: [policy(() => new Promise(setImmediate)), { cookie: {} }],
      })
      for (const id of ['w3', 'w1', 'w3', 'w2']) {
        const body = 'x'.repeat(50_000)
        const answer = await gateway.ask({ method: 'POST', body, headers: { 'X-Session': id } })
        expect(answer.echo).toMatchObject({ id, bytes: body.length })
        expect(answer.header('x-session')).toBe(id)
        expect(answer.cookies('SERVERID')).toHaveLength(1)
      }
    })

    test('a client that has left meanwhile holds no backend [T-41]', async () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      const asked = Promise.withResolvers<void>()
      const backends = await startBackends('w1', 'w2')
      const read = async (): Promise<void> => {
        asked.resolve()
        await promise
      }
      const gateway = await start(backends, { affinity: [policy(read)] })
      const client = await openRaw(gateway.port)
      client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel')
      await asked.promise
      client.socket.resetAndDestroy()
      await client.until(() => false)
      resolve()
      expect((await gateway.ask()).status).toBe(200)
      await expect
        .poll(() => gateway.pool.backends.map(view => view.inFlight), { interval: 5 })
        .toEqual([0, 0])
      expect(backends.flatMap(({ seen }) => seen.map(({ method }) => method))).toEqual(['GET'])
    })

    test.each([
      ['rejects', () => Promise.reject(new Error('no route to 10.0.0.1:6379'))],
      ['throws', unreachable],
    ])(
      'one that %s tells the client nothing and harms no other request [T-44, T-59]',
      async (_how, fails) => {
        let isBroken = true
        const gateway = await start(await startBackends('w1', 'w2'), {
          affinity: [policy(() => (isBroken ? fails() : Promise.resolve()))],
        })
        const failed = await gateway.ask({ headers: { 'X-Session': 'w2' } })
        isBroken = false
        expect(failed.text).not.toMatch(/10\.0\.0\.1|6379/)
        expect(failed.cookies()).toEqual([])
        expect((await gateway.ask({ headers: { 'X-Session': 'w2' } })).echo.id).toBe('w2')
      },
    )

    test('what a policy adds for the client does not reach a backend', async () => {
      const [w1] = await startBackends('w1')
      const gateway = await start([w1], { affinity: [policy(() => Promise.resolve())] })
      expect((await gateway.ask()).header('x-session')).toBe('w1')
      expect(joinedValue(w1.last.lines, 'x-session')).toBeUndefined()
    })
  })
}

function unreachable(): never {
  throw new Error('no route to 10.0.0.1:6379')
}

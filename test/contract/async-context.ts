import { describe, expect, test } from 'vitest'
import { type Backend, startBackend, startBackends } from '../support/backend.ts'
import type { Script } from '../support/exchange.ts'
import { bare, echo, echoWith, hang, resetBeforeHead, resetMidBody } from '../support/scripts.ts'
import { ACCEPTED, get, noting, post, SERVED, USERS } from './noting.ts'
import type { RunningGateway, Start } from './start.ts'

/** All that happens to a request happens in its own async context, whichever connection it goes by. */
export function asyncContext(start: Start): void {
  const { startNoting, send, visit, settled, expectNotes } = noting(start)

  describe('the async context of a request', () => {
    const streamed: Script = async ({ response, readBody }) => {
      await readBody()
      response.write('x'.repeat(200_000), () => setImmediate(() => response.end('x'.repeat(200_000))))
    }
    test.each<[string, Script, (user: string) => string]>([
      ['a short response', echo, user => get(user)],
      ['a streamed response', streamed, user => get(user)],
      ['a response without a body', bare(204), user => get(user)],
      ['a request with a body', echo, user => post(user, 'x'.repeat(300_000))],
      ['a POST without a body', echo, user => post(user, '')],
    ])('holds on a backend connection that other clients used: %s', async (_what, script, textOf) => {
      const w1 = await startBackend('w1', script)
      const { notes, gateway } = await startNoting([w1])
      for (const user of USERS) {
        await visit(gateway, user, textOf(user))
        expectNotes(notes, user, SERVED)
      }
      expect(w1.connections, 'connections to the backend').toBe(1)
    })

    test('holds when several clients are served at once, each by another’s connection', async () => {
      const waiting: (() => void)[] = []
      const statuses = [210, 211, 212]
      const w1 = await startBackend('w1', exchange => {
        const status = statuses[USERS.findIndex(user => exchange.seen.url === `/${user}`)] ?? 200
        waiting.push(() => void echoWith(status)(exchange))
      })
      const { notes, gateway } = await startNoting([w1])
      const responded = notes.answeredStatuses()
      for (const users of [USERS, USERS.toReversed()]) {
        const visits = users.map(async user => visit(gateway, user))
        await expect.poll(() => waiting.length).toBe(3)
        for (const answer of waiting.splice(0).toReversed()) answer()
        await Promise.all(visits)
        const taken = notes.take()
        expect(Object.keys(taken).toSorted()).toEqual([...USERS])
        for (const user of USERS) expect(taken[user]).toEqual(expect.arrayContaining(SERVED))
        for (const [index, user] of USERS.entries()) expect(responded.get(user)).toBe(statuses[index])
        responded.clear()
      }
      expect(w1.connections).toBe(3)
    })

    test('holds when a backend breaks a used connection, and then a fresh one, and another responds', async () => {
      const [w1, w2] = await startBackends('w1', 'w2')
      const { notes, gateway } = await startNoting([w1, w2])
      for (const user of USERS) {
        w1.script = echo
        await visit(gateway, 'opener')
        expectNotes(notes, 'opener', SERVED)
        w1.script = resetBeforeHead
        await visit(gateway, user)
        expect(notes.count('attempt')).toBeGreaterThanOrEqual(3)
        expectNotes(notes, user, [...SERVED, 'limpet:failed'])
      }
      expect(w2.seen).toHaveLength(3)
    })

    test('holds when a backend refuses the connection and another responds', async () => {
      const [w1, w2] = await startBackends('w1', 'w2')
      const { notes, gateway } = await startNoting([w1, w2])
      await w1.refuse()
      for (const user of USERS) {
        await visit(gateway, user, post(user, 'x'.repeat(100_000)))
        expectNotes(notes, user, [...SERVED, 'limpet:failed'])
      }
      expect(w2.connections).toBe(1)
    })

    const errors: readonly [string, (w1: Backend, gateway: RunningGateway) => unknown, string][] = [
      ['refuses the connection', async w1 => w1.refuse(), 'limpet:failed'],
      ['breaks the connection', w1 => (w1.script = resetBeforeHead), 'limpet:failed'],
      ['is too slow', w1 => (w1.script = hang), 'limpet:failed'],
      ['is down', (_w1, { pool }) => pool.setHealthy('w1', false), 'limpet:refused'],
    ]
    test.each(errors)('holds in the error handler when the only backend %s', async (_what, spoil, event) => {
      const w1 = await startBackend('w1')
      const { notes, gateway } = await startNoting([w1], { timeouts: { response: 50 } })
      await visit(gateway, 'opener')
      expectNotes(notes, 'opener', SERVED)
      await spoil(w1, gateway)
      for (const user of USERS) {
        await visit(gateway, user, post(user, ''))
        expectNotes(notes, user, [event, 'error handler'])
      }
    })

    test.each<[string, Script]>([
      ['dies in the middle of its response', resetMidBody('chunked')],
      ['stops in the middle of its response', ({ response }) => void response.write('0123456789')],
    ])('holds when a backend %s', async (_what, script) => {
      const w1 = await startBackend('w1')
      const { notes, gateway } = await startNoting([w1], { timeouts: { idle: 50 } })
      for (const user of USERS) {
        w1.script = echo
        await visit(gateway, 'opener')
        expectNotes(notes, 'opener', SERVED)
        w1.script = script
        await visit(gateway, user)
        expectNotes(notes, user, [...ACCEPTED, 'limpet:failed'])
      }
    })

    test('holds when the client leaves before the response, and in the middle of it', async () => {
      const w1 = await startBackend('w1')
      const { notes, gateway } = await startNoting([w1])
      for (const script of [hang, ({ response }) => void response.write('a part')] satisfies Script[]) {
        for (const user of USERS) {
          w1.script = echo
          await visit(gateway, 'opener')
          expectNotes(notes, 'opener', SERVED)
          w1.script = script
          const client = await send(gateway, get(user))
          await w1.arrival(w1.seen.length + (w1.last.url === `/${user}` ? 0 : 1))
          if (script !== hang) await client.until(received => received.includes('a part'))
          client.socket.destroy()
          await settled(gateway)
          expectNotes(notes, user, ['limpet:selected', 'limpet:released'])
        }
      }
    })

    test('holds when another request makes room for one that is queued', async () => {
      const waiting: (() => void)[] = []
      const w1 = await startBackend('w1', exchange => void waiting.push(() => void echo(exchange)))
      const { notes, gateway } = await startNoting([w1], { maxInFlight: 1, whenFull: 'wait' })
      const visits: Promise<void>[] = []
      for (const [index, user] of USERS.entries()) {
        visits.push(visit(gateway, user))
        await expect.poll(() => gateway.pool.inFlight + gateway.pool.queued).toBe(index + 1)
      }
      for (const _ of USERS) {
        await expect.poll(() => waiting.length).toBe(1)
        waiting.shift()?.()
      }
      await Promise.all(visits)
      const taken = notes.take()
      expect(Object.keys(taken).toSorted()).toEqual([...USERS])
      for (const user of USERS) expect(taken[user]).toEqual(expect.arrayContaining(SERVED))
      for (const user of ['bob', 'carol']) expect(taken[user]).toContain('limpet:queued')
    })

    test('holds when an operator makes room for a request that is queued', async () => {
      const w1 = await startBackend('w1')
      const { notes, gateway } = await startNoting([w1], { waitForBackend: '5s' })
      for (const user of USERS) {
        gateway.pool.setHealthy('w1', false)
        const visiting = visit(gateway, user)
        await expect.poll(() => gateway.pool.queued).toBe(1)
        gateway.pool.setHealthy('w1', true)
        await visiting
        expectNotes(notes, user, ['limpet:queued', ...SERVED])
      }
    })

    test('holds when a request has waited in the queue for too long', async () => {
      const w1 = await startBackend('w1')
      const { notes, gateway } = await startNoting([w1], { waitForBackend: 20 })
      gateway.pool.setHealthy('w1', false)
      for (const user of USERS) {
        await visit(gateway, user)
        expectNotes(notes, user, ['limpet:queued', 'limpet:refused', 'error handler'])
      }
    })

    test('holds in a policy that asks elsewhere, and when it fails', async () => {
      const w1 = await startBackend('w1')
      const inside: [string | undefined, string | undefined][] = []
      const lookUps: (() => void)[] = []
      const policy = {
        name: 'test',
        read: async () =>
          new Promise<{ kind: 'none' }>(resolve => {
            // The request that looks whether the gateway is sound has no user.
            if (notes.user === 'undefined') resolve({ kind: 'none' })
            else lookUps.push(() => resolve({ kind: 'none' }))
          }),
        write: async () => {
          inside.push(['write', notes.user])
          throw new Error('the store is down')
        },
      }
      const { notes, gateway } = await startNoting([w1], { affinity: [policy] })
      for (const user of USERS) {
        const visiting = visit(gateway, user)
        await expect.poll(() => lookUps.length).toBe(1)
        lookUps.shift()?.()
        await visiting
        expectNotes(notes, user, [...SERVED, 'limpet:policy-failed'])
      }
      expect(inside).toEqual(USERS.map(user => ['write', user]))
    })
  })
}

import { expect } from 'vitest'
import type { Backend } from '../support/backend.ts'
import { ContextNotes } from '../support/context-notes.ts'
import { openRaw, type RawConnection } from '../support/raw-client.ts'
import type { GatewayOptions } from './harness.ts'
import type { RunningGateway, Start } from './start.ts'

export const USERS = ['alice', 'bob', 'carol'] as const

/** Sessions have nothing to do with it: the first backend that can take a request gets it. */
const IN_ORDER = { affinity: [], balance: 'first' } as const

/** A WebSocket that a backend has accepted. */
export const ACCEPTED = [
  'limpet:selected',
  'attempt',
  'limpet:connected',
  'limpet:responded',
  'limpet:released',
]
/** A request that a backend has answered. */
export const SERVED = [...ACCEPTED, 'response hook']

/** Gateways of an adapter whose application notes the async context of each event. */
export function noting(start: Start) {
  async function startNoting(backends: readonly Backend[], options: Partial<GatewayOptions> = {}) {
    const notes = new ContextNotes()
    const gateway = await start(backends, { ...IN_ORDER, ...options, around: notes })
    return { notes, gateway }
  }

  async function send({ port }: RunningGateway, text: string): Promise<RawConnection> {
    const client = await openRaw(port)
    client.write(text)
    return client
  }

  /** Asks as `user`, reads all of the response, and waits until nothing of the request is left. */
  async function visit(gateway: RunningGateway, user: string, text = get(user)): Promise<void> {
    const client = await send(gateway, text)
    await client.until(() => false, 8_000)
    await settled(gateway)
  }

  async function settled({ pool }: RunningGateway): Promise<void> {
    await expect.poll(() => pool.inFlight + pool.queued, { interval: 2 }).toBe(0)
  }

  /** All notes are of `user`, and among them are these. */
  function expectNotes(notes: ContextNotes, user: string, whats: readonly string[]): void {
    expect(notes.take()).toEqual({ [user]: expect.arrayContaining([...whats]) })
  }

  return { startNoting, send, visit, settled, expectNotes }
}

export function get(user: string): string {
  return `GET /${user} HTTP/1.1\r\nHost: a\r\nX-User: ${user}\r\nConnection: close\r\n\r\n`
}

export function post(user: string, body: string): string {
  const fields = `Host: a\r\nX-User: ${user}\r\nConnection: close\r\nContent-Length: ${body.length}`
  return `POST /${user} HTTP/1.1\r\n${fields}\r\n\r\n${body}`
}

import { describe, expect, test } from 'vitest'
import { startBackend } from '../support/backend.ts'
import { fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'
import { openRaw, sendRaw } from '../support/raw-client.ts'

/** Client connections that the workers of one gateway count together. */

const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
/** The parent hands connections to the workers in turn, so these reach both. */
const CONNECTIONS = 4

/** Whether connections were served, of some that reach all workers. */
async function served(gateway: GatewayProcess): Promise<readonly boolean[]> {
  const seen: boolean[] = []
  for (let count = 0; count < CONNECTIONS; count += 1)
    seen.push((await sendRaw(gateway.port, REQUEST)).text.includes('200 OK'))
  return seen
}

// Each process takes its time to start.
describe('the client connections of two workers', { timeout: 60_000 }, () => {
  test.each([{ connectionsPerAddress: 3 }, { connections: 3 }])(
    'count towards one limit: %j',
    async limits => {
      const w1 = await startBackend('w1')
      const gateway = await GatewayProcess.start(fileOf([w1], { workers: 2, limits }))
      const open = [await openRaw(gateway.port), await openRaw(gateway.port), await openRaw(gateway.port)]
      const none = Array.from({ length: CONNECTIONS }, () => false)
      await expect.poll(async () => served(gateway), { timeout: 20_000 }).toEqual(none)
      expect(await gateway.logged('connections_refused')).toMatchObject({ client: '127.0.0.1' })
      for (const { socket } of open) socket.destroy()
      const all = none.map(() => true)
      await expect.poll(async () => served(gateway), { timeout: 20_000 }).toEqual(all)
    },
  )
})

import { createClient } from '@redis/client'
import { onTestFinished } from 'vitest'
import { freePort } from './free-port.ts'
import { REDIS_COMMAND, type RedisFacts, RedisProcess } from './redis-process.ts'

export type AdminClient = ReturnType<typeof createClient>

/** For `describe.skipIf()`: with CI=true tests are not skipped, so that they fail. */
export const hasNoRedis = REDIS_COMMAND === undefined && process.env['CI'] !== 'true'

/** Starts a real Redis or Valkey, which is killed at the latest when the test ends. `args` are of its command line. */
export async function startRedis(...args: readonly string[]): Promise<RedisServer> {
  return startRedisWith({ args })
}

export async function startRedisWith(facts: RedisFacts): Promise<RedisServer> {
  const server = new RedisServer(await freePort(), facts)
  onTestFinished(async () => server.remove())
  await server.start()
  return server
}

export class RedisServer extends RedisProcess {
  /** A client for the test's own questions. */
  async client(options: Parameters<typeof createClient>[0] = {}): Promise<AdminClient> {
    const client: AdminClient = createClient({ url: this.url, ...options })
    client.on('error', () => {})
    onTestFinished(() => client.destroy())
    await client.connect()
    return client
  }
}

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createClient } from '@redis/client'
import { onTestFinished } from 'vitest'
import { freePort } from './free-port.ts'
import { REDIS_COMMAND, type RedisFacts, RedisProcess } from './redis-process.ts'
import { testCertificate } from './tls.ts'

export type AdminClient = ReturnType<typeof createClient>

/** For `describe.skipIf()`: with CI=true tests are not skipped, so that they fail. */
export const hasNoRedis = REDIS_COMMAND === undefined && process.env['CI'] !== 'true'

/** Starts a real Redis or Valkey, which is killed at the latest when the test ends. `args` are of its command line. */
export async function startRedis(...args: readonly string[]): Promise<RedisServer> {
  return startRedisWith({ args })
}

async function startRedisWith(facts: RedisFacts): Promise<RedisServer> {
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

/** A Sentinel that watches this primary, by the name `main`. */
export async function startSentinel(primary: RedisServer): Promise<RedisServer> {
  const file = join(primary.folder, 'sentinel.conf')
  writeFileSync(
    file,
    [
      `sentinel monitor main 127.0.0.1 ${primary.port} 1`,
      'sentinel down-after-milliseconds main 500',
      'sentinel failover-timeout main 2000',
    ].join('\n'),
  )
  return startRedisWith({ file, args: ['--sentinel'], until: /monitor master main/ })
}

/** From now on it takes connections by TLS alone, on the same port, with the test's certificate. */
export async function requireTls(redis: RedisServer): Promise<void> {
  const [key, cert] = ['key.pem', 'certificate.pem'].map(file => join(redis.folder, file))
  writeFileSync(key ?? '', testCertificate.key)
  writeFileSync(cert ?? '', testCertificate.cert)
  const admin = await redis.client()
  await admin.configSet({
    'tls-key-file': key ?? '',
    'tls-cert-file': cert ?? '',
    'tls-auth-clients': 'no',
  })
  await admin.configSet('port', '0')
  await admin.configSet('tls-port', `${redis.port}`)
}

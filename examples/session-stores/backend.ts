import { createServer } from 'node:http'
import { runBackend } from '@limpet-example/demo/process'
import { type Sessions, type Way, wayFrom } from './sessions.ts'
import { createShop } from './shop.ts'

/** One shop, started as `node backend.ts shop1 9001`, with SESSIONS, SESSION_SECRET, REDIS_URL and HOST. */

const [id = 'shop', port = '0'] = process.argv.slice(2)
const { SESSIONS, SESSION_SECRET = '', REDIS_URL = 'redis://127.0.0.1:6379', HOST } = process.env

/** Each way loads its own libraries alone. */
async function sessionsOf(way: Way): Promise<Sessions> {
  if (way === 'jwt') {
    const { jwtSessions } = await import('./jwt-sessions.ts')
    return jwtSessions(SESSION_SECRET)
  }
  const { serverSessions } = await import('./server-sessions.ts')
  if (way === 'memory') return serverSessions(SESSION_SECRET)
  const { cachedRedisStore, redisStore } = await import('./redis-stores.ts')
  const store = way === 'redis' ? await redisStore(REDIS_URL) : await cachedRedisStore(REDIS_URL)
  return serverSessions(SESSION_SECRET, store)
}

const shop = createShop(id, await sessionsOf(wayFrom(SESSIONS)))
runBackend(createServer(shop), port, HOST)
// compare.ts asks for it.
process.on('message', () => process.send?.({ cpu: process.cpuUsage() }))
process.on('SIGUSR2', () => process.send?.({ drain: true }))

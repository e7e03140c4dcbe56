import { RedisStore } from 'connect-redis'
import type { Store } from 'express-session'
import { BasicClientSideCache, createClient } from 'redis'

/*
 * Two stores for express-session. Without a queue in the client, a request fails at once while Redis is down; it would wait
 * for Redis otherwise.
 */

const TTL_SECONDS = 24 * 60 * 60

/** Every request reads its session from Redis, and renews its time there. */
export async function redisStore(url: string): Promise<Store> {
  const client = createClient({ url, disableOfflineQueue: true })
  client.on('error', (error: Error) => console.error(`redis: ${error.message}`))
  await client.connect()
  return new RedisStore({ client, ttl: TTL_SECONDS })
}

/**
 * Writes go to Redis, and reads come from memory. Redis tells this process when another one has written a session that it
 * has in memory (client-side caching), so a session that has moved is never read from an old copy.
 */
export async function cachedRedisStore(url: string): Promise<Store> {
  const clientSideCache = new BasicClientSideCache({ maxEntries: 10_000, ttl: 0, evictPolicy: 'LRU' })
  const client = createClient({ url, disableOfflineQueue: true, RESP: 3, clientSideCache })
  client.on('error', (error: Error) => console.error(`redis: ${error.message}`))
  await client.connect()
  // Renewing the time in Redis would make each read a write. Here a session's time is that of its last write.
  return new RedisStore({ client, ttl: TTL_SECONDS, disableTouch: true })
}

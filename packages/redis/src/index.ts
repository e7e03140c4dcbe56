export type { RedisOptions, SentinelOptions } from './connection/redis-options.ts'
export { type RedisStore, redisStore, type RedisStoreOptions } from './redis-store.ts'
export type { RedisBadValueEvent, RedisStateEvent } from './state-events.ts'

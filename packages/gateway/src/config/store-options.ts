import { duration, integer, needed, optionTable, table, text } from '@limpet/core/options'
import { REFERENCE } from './file-kinds.ts'

/** Redis or Valkey, by the package @limpet/redis. */
const REDIS_OPTIONS = optionTable({
  /** Its address, as `redis://host:port`, or a reference to it, as `env:REDIS_URL`. `rediss://` for TLS. */
  url: needed(REFERENCE),
  /** First part of all keys. @default limpet */
  prefix: text({
    pattern: /^[\w.:-]{1,64}$/,
    takes: '1 to 64 of the characters A-Z a-z 0-9 _ - . :',
    default: 'limpet',
  }),
  /** Time of a lookup; then the session counts as unknown. @default 50ms */
  deadline: duration({ min: 1, default: '50ms' }),
  /** Sessions that each process remembers, at 40 bytes each. @default 100000 */
  maxEntries: integer({ min: 1, max: 16_000_000, default: 100_000 }),
})

/** The state that several gateways share. */
const STORE_OPTIONS = optionTable({
  /** Redis or Valkey. The package @limpet/redis has to be installed beside limpet. */
  redis: needed(table(REDIS_OPTIONS)),
})

export const STORE = table(STORE_OPTIONS)

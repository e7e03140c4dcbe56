import { duration, integer, optionTable, table } from '@limpet/core/options'
import { size } from './file-kinds.ts'

/** Far more than a process can have open. */
const MAX_CONNECTIONS = 10_000_000

/** Limits for slow and greedy clients, of one gateway. */
const LIMITS_OPTIONS = optionTable({
  /** Longest head, 1KiB to 16MiB; above it, 431. (nginx `large_client_header_buffers`, HAProxy `tune.bufsize`) @default 16KiB */
  // Node takes 0 for its own default, and HTTP/2 counts in 32 bits.
  headers: size({ min: 1024, max: 16 * 1024 ** 2, takes: 'a size from 1KiB to 16MiB', default: '16KiB' }),
  /** Time for a head to arrive; then 408. It is the limit of a TLS handshake as well, with its value at the start. (nginx `client_header_timeout`, HAProxy `timeout http-request`) @default 10s */
  headersTimeout: duration({ default: '10s' }),
  /** Time for a whole request to arrive; then 408. `0s`: any time, because uploads may be long. @default 0s */
  requestTimeout: duration({ default: '0s' }),
  /** Time after which an idle connection is closed. (nginx `keepalive_timeout`, HAProxy `timeout http-keep-alive`) @default 75s */
  keepAlive: duration({ default: '75s' }),
  /** A client that takes no byte of its response for so long is disconnected. `0s`: never. (nginx `send_timeout`, HAProxy `timeout client`) @default 30s */
  sendTimeout: duration({ default: '30s' }),
  /** Connections at a time; further ones are closed at once. 0: any number. (nginx `worker_connections`, HAProxy `maxconn`) @default 0 */
  connections: integer({ min: 0, max: MAX_CONNECTIONS, default: 0 }),
  /** The same for one address. Behind a load balancer all clients have its address. 0: any number. (nginx `limit_conn`, HAProxy `src_conn_cur`) @default 0 */
  connectionsPerAddress: integer({ min: 0, max: MAX_CONNECTIONS, default: 0 }),
  /** Requests of one HTTP/1 connection in flight; further ones wait, and the connection is not read. HTTP/2 has 128. @default 16 */
  unanswered: integer({ min: 1, max: 1_000_000, default: 16 }),
})

export const LIMITS = table(LIMITS_OPTIONS, {})

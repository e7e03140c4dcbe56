import type { Loss } from './report.ts'
import type { Statement } from './statement.ts'

/** limpet does what these ask for by itself, or they are for the service manager. */
export const QUIET: ReadonlySet<string> = new Set([
  'user',
  'pid',
  'daemon',
  'master_process',
  'worker_rlimit_nofile',
  'worker_shutdown_timeout',
  'worker_priority',
  'worker_cpu_affinity',
  'pcre_jit',
  'error_log',
  'access_log',
  'log_format',
  'log_not_found',
  'use',
  'multi_accept',
  'accept_mutex',
  'sendfile',
  'tcp_nopush',
  'tcp_nodelay',
  'types',
  'types_hash_max_size',
  'types_hash_bucket_size',
  'default_type',
  'charset',
  'server_tokens',
  'server_names_hash_bucket_size',
  'server_names_hash_max_size',
  'variables_hash_max_size',
  'map_hash_bucket_size',
  'client_body_timeout',
  'client_body_buffer_size',
  'client_header_buffer_size',
  'keepalive_requests',
  'reset_timedout_connection',
  'proxy_http_version',
  'proxy_buffering',
  'proxy_request_buffering',
  'proxy_buffer_size',
  'proxy_buffers',
  'proxy_busy_buffers_size',
  'proxy_max_temp_file_size',
  'proxy_temp_path',
  'proxy_headers_hash_max_size',
  'proxy_headers_hash_bucket_size',
  'proxy_socket_keepalive',
  'proxy_ssl_server_name',
  'proxy_ssl_session_reuse',
  'ssl_session_cache',
  'ssl_session_timeout',
  'ssl_session_tickets',
  'ssl_prefer_server_ciphers',
  'resolver',
  'resolver_timeout',
  'real_ip_recursive',
])

const NODES_TLS = "TLS is Node's: NODE_OPTIONS=--tls-min-v1.3, --tls-cipher-list"
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/^include$/, 'other files are not read; move what they say by hand, or give limpet from each of them'],
  [/^load_module$/, 'limpet has no modules'],
  [/^(?:stream|mail)$/, 'limpet forwards HTTP and WebSockets only'],
  [/^ssl_(?:protocols|ciphers|conf_command|ecdh_curve|dhparam)$/, NODES_TLS],
  [/^ssl_/, 'limpet has one certificate and key, and asks clients for none'],
  [/^(?:proxy_)?ssl/, 'limpet verifies backends by tls: { ca, servername, verify }'],
  [
    /^(?:return|rewrite|redirect|if|set|try_files|root|alias|index|error_page|autoindex|expires|internal)$/,
    'limpet only forwards: responses, redirects and files of its own it has none',
  ],
  [/^(?:fastcgi|uwsgi|scgi|grpc|memcached)_/, 'limpet forwards to HTTP backends'],
  [/^(?:proxy_cache|proxy_store|open_file_cache|gzip|brotli)/, 'limpet keeps and compresses nothing'],
  [
    /^(?:auth_|allow$|deny$|satisfy$|limit_|secure_link|valid_referers)/,
    'limpet does not decide which clients may come',
  ],
  [/^(?:map|geo|split_clients)$/, 'limpet has no variables'],
  [/^(?:sub_filter|proxy_redirect|proxy_cookie_)/, 'limpet does not edit what backends send'],
  [/^real_ip_header$/, 'limpet reads X-Forwarded-For of the proxies in trustProxy'],
  [
    /^location$/,
    'no proxy_pass that limpet can follow; it answers nothing by itself but the path of listen.health',
  ],
  [/^server$/, 'none of its locations passes requests'],
]

/** Which directive was not taken, and why. Its values stay out: they may be secret. */
export function nginxLoss({ name }: Statement): Loss {
  const why = REASONS.find(([pattern]) => pattern.test(name))?.[1] ?? 'limpet has no equivalent'
  return { what: name, why }
}

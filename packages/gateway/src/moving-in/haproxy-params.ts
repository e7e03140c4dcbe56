/** Parameters of a `server` that have a value behind them. */
const WITH_VALUE = new Set([
  'addr',
  'agent-addr',
  'agent-inter',
  'agent-port',
  'agent-send',
  'alpn',
  'ca-file',
  'check-alpn',
  'check-proto',
  'check-sni',
  'ciphers',
  'ciphersuites',
  'cookie',
  'crl-file',
  'crt',
  'curves',
  'downinter',
  'error-limit',
  'fall',
  'fastinter',
  'guid',
  'hash-key',
  'id',
  'init-addr',
  'init-state',
  'inter',
  'log-proto',
  'max-reuse',
  'maxconn',
  'maxqueue',
  'minconn',
  'namespace',
  'npn',
  'observe',
  'on-error',
  'on-marked-down',
  'on-marked-up',
  'pool-low-conn',
  'pool-max-conn',
  'pool-purge-delay',
  'port',
  'proto',
  'proxy-v2-options',
  'redir',
  'resolve-net',
  'resolve-opts',
  'resolve-prefer',
  'resolvers',
  'rise',
  'shard',
  'sigalgs',
  'slowstart',
  'sni',
  'socks4',
  'source',
  'ssl-max-ver',
  'ssl-min-ver',
  'tcp-ut',
  'tfo',
  'track',
  'usesrc',
  'verify',
  'verifyhost',
  'weight',
  'ws',
])

/** Parameters that are taken, or that ask for what limpet does by itself. */
const TAKEN = new Set([
  'check',
  'enabled',
  'no-check',
  'no-backup',
  'no-ssl',
  'init-addr',
  'resolve-prefer',
  'resolve-opts',
  'resolvers',
  'fastinter',
  'downinter',
  'inter',
  'fall',
  'rise',
  'pool-low-conn',
  'pool-max-conn',
  'pool-purge-delay',
  'max-reuse',
  'id',
  'guid',
  'proto',
  'alpn',
  'ws',
  'hash-key',
  'init-state',
  'no-tls-tickets',
  'no-sslv3',
  'ssl',
  'verify',
  'ca-file',
  'sni',
  'cookie',
  'weight',
  'backup',
  'maxconn',
  'disabled',
  'slowstart',
  'error-limit',
  'observe',
  'on-error',
  'check-ssl',
  'verifyhost',
  'tcp-ut',
  'on-marked-down',
])

/** By name. */
export type ServerParams = ReadonlyMap<string, string>

/** The parameters of a `server` or `default-server`: by name, the value or an empty text. */
export function paramsOf(words: readonly string[]): ServerParams {
  const params = new Map<string, string>()
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? ''
    if (WITH_VALUE.has(word)) {
      at += 1
      params.set(word, words[at] ?? '')
    } else params.set(word, '')
  }
  return params
}

/** Whether a parameter is taken; any other is lost. */
export function isTaken(name: string): boolean {
  return TAKEN.has(name)
}

import type { PoolFile } from '../config/pool-file.ts'

/** A key of a hash or a lookup: a query parameter, a header field or a cookie of this name. */
export function keyOf(kind: 'query' | 'header' | 'cookie', name: string | undefined): string | undefined {
  return name !== undefined && /^[\w.-]+$/.test(name) ? `${kind}:${name}` : undefined
}

/** The key that is the same as a sample of HAProxy; undefined: the sample is more than one thing of the request. */
export function sampleKey(text: string): string | undefined {
  if (text === 'src') return 'ip'
  if (text === 'path') return 'path'
  const [, fetch = '', name] = /^([\w.]+)\(([\w.-]+)(?:,1)?\)$/.exec(text) ?? []
  if (/^(?:req\.)?(?:cook|cookie)$/.test(fetch)) return keyOf('cookie', name)
  if (/^(?:req\.)?f?hdr$/.test(fetch)) return keyOf('header', name)
  return /^(?:urlp|url_param)$/.test(fetch) ? keyOf('query', name) : undefined
}

/** The hash of a key. HAProxy hashes an address of IPv6 as a whole. */
export function hashOf(key: string): PoolFile['balance'] {
  return key === 'ip' ? { hash: key, ipv6Prefix: 128 } : { hash: key }
}

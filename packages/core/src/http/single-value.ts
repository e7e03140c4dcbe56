/*
 * Fields that have one value, of which a backend may send several lines all the same. HTTP/1 passes them on as they
 * are. HTTP/2 cannot write them in Node: it throws for the whole head, or from an event for the trailers.
 */

/** Node's list (`kSingleValueHeaders` of `node:http2`) without the pseudo-header fields. */
export const SINGLE_VALUE_FIELDS: ReadonlySet<string> = new Set([
  'access-control-allow-credentials',
  'access-control-max-age',
  'access-control-request-method',
  'age',
  'authorization',
  'content-encoding',
  'content-language',
  'content-length',
  'content-location',
  'content-md5',
  'content-range',
  'content-type',
  'date',
  'dnt',
  'etag',
  'expires',
  'from',
  'host',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'last-modified',
  'location',
  'max-forwards',
  'proxy-authorization',
  'range',
  'referer',
  'retry-after',
  'tk',
  'upgrade-insecure-requests',
  'user-agent',
  'x-content-type-options',
])

/** Those of them that are lists (RFC 9110 §5.6.1): several lines are one list, and a coding must not be lost. */
export const LISTS: ReadonlySet<string> = new Set([
  'content-encoding',
  'content-language',
  'if-match',
  'if-none-match',
])

/**
 * The value of a field as HTTP/2 can write it. Of a field with one value the first line counts, as in `node:http`.
 * Contradicting lengths do not come here: the parser refuses them.
 * @param name in lower case
 */
export function http2Value(
  name: string,
  value: string | string[] | undefined,
): string | string[] | undefined {
  if (typeof value !== 'object' || !SINGLE_VALUE_FIELDS.has(name)) return value
  return LISTS.has(name) ? value.join(', ') : value[0]
}

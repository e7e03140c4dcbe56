import { OptionError, optionList } from './option.ts'

/** A signing secret: at least 32 bytes, a text counted in UTF-8. */
export type Secret = string | Uint8Array

const LEAST_BYTES = 32
/** A random secret of 32 characters has more than twice as many; `changeme-changeme-…` has not. */
const LEAST_DIFFERENT_BYTES = 10
/** Each costs one HMAC for a forged key. */
const MOST = 8
const HOW = `make one with: node -p "require('node:crypto').randomBytes(32).toString('base64url')"`

/**
 * The secrets as bytes, newest first.
 * @throws OptionError when there is none, one is too short, one stands twice, or one is an example's.
 */
export function parseSecrets(value: unknown): readonly Uint8Array[] {
  // The value itself stays out of every message: what stands here without a list round it is a secret too.
  const shown = value === undefined || Array.isArray(value) ? value : `a ${typeof value}`
  const list = optionList('secrets', shown, `a list of 1 to ${MOST} secrets, newest first; ${HOW}`)
  if (list.length === 0 || list.length > MOST) {
    throw new OptionError('secrets', list, `1 to ${MOST} secrets, newest first; ${HOW}`)
  }
  const seen = new Set<string>()
  return list.map((item, index) => {
    const path = `secrets[${index}]`
    const bytes = parseSecret(path, item)
    const text = Buffer.from(bytes).toString('base64')
    if (seen.has(text)) throw new OptionError(path, 'a secret that stands twice', 'a secret of its own')
    seen.add(text)
    return bytes
  })
}

/** @throws OptionError when it is too short, or an example's. */
export function parseSecret(path: string, value: unknown): Uint8Array {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value
  if (!(bytes instanceof Uint8Array)) throw new OptionError(path, typeof value, 'a string or bytes')
  if (bytes.byteLength < LEAST_BYTES) {
    throw new OptionError(path, `${bytes.byteLength} bytes`, `at least ${LEAST_BYTES} bytes; ${HOW}`)
  }
  if (new Set(bytes).size < LEAST_DIFFERENT_BYTES)
    throw new OptionError(path, 'a value of few different bytes', `a random secret; ${HOW}`)
  return bytes
}

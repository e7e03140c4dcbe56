import { isFailedReference } from './failed-reference.ts'
import { OptionError, redact, throwAll } from '../options/option.ts'
import { attempt } from '../options/option-kind.ts'

/** A signing secret: at least 32 bytes, a text counted in UTF-8. */
export type Secret = string | Uint8Array

const MIN_BYTES = 32
/** A random secret of 32 characters has more than twice as many; `changeme-changeme-…` has not. */
const MIN_DIFFERENT_BYTES = 10
/** Each costs one HMAC for a forged key. */
const MOST = 8
/** A shell command that makes a secret. */
export const MAKE_SECRET = `node -p "require('node:crypto').randomBytes(32).toString('base64url')"`
/** How to make a secret, for messages. */
export const HOW_TO_MAKE_ONE = `make one with: ${MAKE_SECRET}`

/**
 * The secrets as bytes, newest first.
 * @throws OptionError when there is none, one is too short, one stands twice, or one is no secret at all.
 */
export function parseSecrets(value: unknown): readonly Uint8Array[] {
  const takes = `1 to ${MOST} secrets, newest first; ${HOW_TO_MAKE_ONE}`
  // The value itself stays out of every message: what stands here without a list round it is a secret too.
  if (!Array.isArray(value)) throw refusal('secrets', `got ${kindOf(value)}; it takes a list of ${takes}`)
  const list: readonly unknown[] = value
  if (list.length === 0 || list.length > MOST)
    throw refusal('secrets', `got a list of ${list.length}; it takes ${takes}`)
  const seen = new Set<string>()
  const errors: OptionError[] = []
  const secrets = list.flatMap((item, index) => {
    const path = `secrets[${index}]`
    const bytes = attempt(() => parseSecret(path, item), errors)
    if (bytes === undefined) return []
    const text = Buffer.from(bytes).toString('base64')
    if (seen.has(text)) errors.push(refusal(path, 'stands twice; it takes a secret of its own'))
    seen.add(text)
    return [bytes]
  })
  throwAll(errors)
  return secrets
}

/** @throws OptionError when it is too short, of few different bytes, or a reference that was not replaced. */
export function parseSecret(path: string, value: unknown): Uint8Array {
  if (value === undefined)
    throw refusal(path, `is undefined; set LIMPET_SECRET to at least ${MIN_BYTES} bytes (${MAKE_SECRET})`)
  const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value
  if (!(bytes instanceof Uint8Array))
    throw refusal(path, `got ${kindOf(value)}; it takes a string or bytes; ${HOW_TO_MAKE_ONE}`)
  if (isFailedReference(Buffer.from(bytes).toString('latin1')))
    throw refusal(
      path,
      `is a placeholder, or a reference that was not replaced, as \${NAME} or process.env.NAME; set the variable to at least ${MIN_BYTES} bytes (${MAKE_SECRET}) and give its value`,
    )
  if (bytes.byteLength < MIN_BYTES)
    throw refusal(
      path,
      `has ${bytes.byteLength} bytes; it takes at least ${MIN_BYTES} bytes; ${HOW_TO_MAKE_ONE}`,
    )
  if (new Set(bytes).size < MIN_DIFFERENT_BYTES)
    throw refusal(path, `has few different bytes; it takes a random secret; ${HOW_TO_MAKE_ONE}`)
  return bytes
}

function refusal(path: string, problem: string): OptionError {
  return new OptionError(path, undefined, '', problem)
}

/** Without the value, whatever it is. */
function kindOf(value: unknown): string {
  return typeof value === 'number' || typeof value === 'bigint' ? 'a number' : redact(value)
}

import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'

const CIPHER = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16
const KEY_BYTES = 32

/** The values that a seal is for. */
export interface Sealed<T> {
  /** A word for them. Those of other words are not opened. */
  readonly purpose: string
  /** Longer values are not opened. */
  readonly maxLength: number
  /** Undefined for anything else. */
  parse(value: unknown): T | undefined
}

/**
 * Encrypts and authenticates values, so that neither a reader of Redis learns the backends' addresses nor a writer
 * can send requests to a server of its own. Seals with the newest secret, opens with all.
 */
export class Seal<T> {
  readonly #keys: readonly Uint8Array[]
  readonly #fieldKey: Uint8Array
  readonly #sealed: Sealed<T>

  constructor(secrets: readonly Uint8Array[], pool: string, sealed: Sealed<T>) {
    this.#sealed = sealed
    const derive = (secret: Uint8Array, purpose: string): Uint8Array =>
      new Uint8Array(hkdfSync('sha256', secret, '', `limpet/fleet/v1/${pool}/${purpose}`, KEY_BYTES))
    const [newest = new Uint8Array()] = secrets
    this.#keys = secrets.map(secret => derive(secret, sealed.purpose))
    this.#fieldKey = derive(newest, 'fields')
  }

  /** The field of a backend: a keyed hash of its id. */
  fieldOf(id: string): string {
    return createHmac('sha256', this.#fieldKey).update(id).digest('base64url').slice(0, 22)
  }

  seal(value: T): string {
    const [key = new Uint8Array()] = this.#keys
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv(CIPHER, key, nonce)
    const text = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()])
    return Buffer.concat([nonce, text, cipher.getAuthTag()]).toString('base64url')
  }

  /** Undefined for a value that no secret of ours has sealed. */
  open(value: string): T | undefined {
    const bytes = Buffer.from(value.slice(0, this.#sealed.maxLength), 'base64url')
    if (bytes.length <= NONCE_BYTES + TAG_BYTES) return undefined
    for (const key of this.#keys) {
      const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES))
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
      try {
        const text = Buffer.concat([
          decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)),
          decipher.final(),
        ]).toString('utf8')
        return this.#sealed.parse(JSON.parse(text))
      } catch {
        // Of another secret.
      }
    }
    return undefined
  }
}

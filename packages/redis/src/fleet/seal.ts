import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { type Command, parseCommand } from './command.ts'

const CIPHER = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16
const KEY_BYTES = 32
const MAX_VALUE = 8_192

/**
 * Encrypts and authenticates commands, so that neither a reader of Redis learns the backends' addresses nor a writer
 * can send requests to a server of its own. Seals with the newest secret, opens with all.
 */
export class Seal {
  readonly #keys: readonly Uint8Array[]
  readonly #fieldKey: Uint8Array

  constructor(secrets: readonly Uint8Array[], pool: string) {
    const derive = (secret: Uint8Array, purpose: string): Uint8Array =>
      new Uint8Array(hkdfSync('sha256', secret, '', `limpet/fleet/v1/${pool}/${purpose}`, KEY_BYTES))
    const [newest = new Uint8Array()] = secrets
    this.#keys = secrets.map(secret => derive(secret, 'commands'))
    this.#fieldKey = derive(newest, 'fields')
  }

  /** The field of a backend: a keyed hash of its id. */
  fieldOf(id: string): string {
    return createHmac('sha256', this.#fieldKey).update(id).digest('base64url').slice(0, 22)
  }

  seal(command: Command): string {
    const [key = new Uint8Array()] = this.#keys
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv(CIPHER, key, nonce)
    const text = Buffer.concat([cipher.update(JSON.stringify(command), 'utf8'), cipher.final()])
    return Buffer.concat([nonce, text, cipher.getAuthTag()]).toString('base64url')
  }

  /** Undefined for a value that no secret of ours has sealed. */
  open(value: string): Command | undefined {
    const bytes = Buffer.from(value.slice(0, MAX_VALUE), 'base64url')
    if (bytes.length <= NONCE_BYTES + TAG_BYTES) return undefined
    for (const key of this.#keys) {
      const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES))
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
      try {
        const text = Buffer.concat([
          decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)),
          decipher.final(),
        ]).toString('utf8')
        return parseCommand(JSON.parse(text))
      } catch {
        // Of another secret.
      }
    }
    return undefined
  }
}

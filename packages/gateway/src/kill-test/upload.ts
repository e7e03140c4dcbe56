import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'

/** A body of random bytes, as a whole or in a field of a form. */
export interface Upload {
  /** Bytes. */
  readonly size: number
  /** Of a form's field; undefined: the body is the file. */
  readonly field: string | undefined
  readonly fileName: string
  readonly type: string
  /** Time that the sending takes, in equal pieces, so that an action hits uploads that have begun. */
  readonly overMs: number
}

/** Largest file, in bytes: each session may have one in memory. */
export const MAX_UPLOAD = 64 * 1024 * 1024
const MAX_PIECES = 50

export interface UploadBody {
  readonly contentType: string
  readonly contentLength: number
  /** Of the file alone, in hex. */
  readonly sha256: string
  /** Each call begins anew, for a redirect that repeats the body. */
  readonly stream: (signal: AbortSignal) => AsyncGenerator<Buffer>
}

/** Random content, so that no two uploads are the same. */
export function uploadBody({ size, field, fileName, type, overMs }: Upload): UploadBody {
  const file = randomBytes(size)
  const boundary = `limpet-${randomBytes(12).toString('hex')}`
  const isForm = field !== undefined
  const disposition = `Content-Disposition: form-data; name="${quoted(field ?? '')}"; filename="${quoted(fileName)}"`
  const head = isForm ? `--${boundary}\r\n${disposition}\r\nContent-Type: ${type}\r\n\r\n` : ''
  const whole = isForm
    ? Buffer.concat([Buffer.from(head), file, Buffer.from(`\r\n--${boundary}--\r\n`)])
    : file
  return {
    contentType: isForm ? `multipart/form-data; boundary=${boundary}` : type,
    contentLength: whole.length,
    sha256: createHash('sha256').update(file).digest('hex'),
    stream: signal => pieces(whole, overMs, signal),
  }
}

async function* pieces(whole: Buffer, overMs: number, signal: AbortSignal): AsyncGenerator<Buffer> {
  const count = overMs === 0 ? 1 : MAX_PIECES
  const length = Math.max(1, Math.ceil(whole.length / count))
  for (let start = 0; start < whole.length; start += length) {
    if (start > 0) await delay(overMs / count, undefined, { signal })
    yield whole.subarray(start, start + length)
  }
}

/** As browsers write the names of a form's fields (WHATWG HTML, multipart/form-data). */
function quoted(text: string): string {
  return text.replaceAll(/["\r\n]/g, character => encodeURIComponent(character))
}

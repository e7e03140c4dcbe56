import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import type { HeaderLines } from './header-lines.ts'

/** An answer as it stood on the wire. */
export interface RawAnswer {
  /** 0 for what is not an answer. */
  readonly status: number
  readonly reason: string
  readonly lines: HeaderLines
  readonly body: string
}

export interface RawExchange {
  /** Every byte, one character each. */
  readonly text: string
  /** The answers in it, without the 1xx before them. */
  readonly answers: readonly RawAnswer[]
  /** Whether the other side closed the connection. */
  readonly closed: boolean
}

export interface RawOptions {
  /** It does not close when the other side does. */
  readonly allowHalfOpen?: boolean
}

/** Turns of the event loop in which a quiet connection says nothing. */
const QUIET_TURNS = 20

/** A connection on which a test says exactly what it wants to say. */
export class RawConnection {
  readonly socket: Socket
  received = ''
  closed = false

  constructor(port: number, { allowHalfOpen = false }: RawOptions = {}) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen })
    this.socket.on('data', (data: Buffer) => (this.received += data.toString('latin1')))
    this.socket.on('error', () => {})
    this.socket.on('close', () => (this.closed = true))
  }

  /** One byte for each character. */
  write(text: string): void {
    this.socket.write(Buffer.from(text, 'latin1'))
  }

  /** Settles once `isThere` says yes, the connection is closed, or nothing came for so long. */
  async until(isThere: (received: string) => boolean, quietMs = 2_000): Promise<void> {
    for (let isQuiet = false; !isQuiet && !this.closed && !isThere(this.received);) {
      isQuiet = await this.#isQuiet(quietMs)
    }
  }

  /** Settles when something comes, or is over, or when nothing came for so long. */
  async #isQuiet(quietMs: number): Promise<boolean> {
    return new Promise(resolve => {
      const { socket } = this
      const heard = (): void => end(false)
      // A process that stood still has not read what waits for it: a gateway in this process needs some turns for that.
      let turns = QUIET_TURNS
      const timer = setInterval(() => {
        turns -= 1
        if (turns === 0) end(true)
      }, quietMs / QUIET_TURNS)
      socket.once('data', heard).once('close', heard)
      function end(isQuiet: boolean): void {
        clearInterval(timer)
        socket.off('data', heard).off('close', heard)
        resolve(isQuiet)
      }
    })
  }
}

export async function openRaw(port: number): Promise<RawConnection> {
  const connection = new RawConnection(port)
  onTestFinished(() => void connection.socket.destroy())
  await once(connection.socket, 'connect')
  return connection
}

/**
 * Writes these bytes and reads until `answers` answers are complete, the other side closes, or it stays quiet.
 * After an answer that says so, it waits for the close.
 */
export async function sendRaw(port: number, text: string, { answers = 1 } = {}): Promise<RawExchange> {
  const connection = await openRaw(port)
  connection.write(text)
  const isHead = text.startsWith('HEAD ')
  await connection.until(received => parseAnswers(received, isHead).length >= answers)
  const isLast = parseAnswers(connection.received, isHead).at(-1)?.lines.some(isClose) === true
  if (isLast) await connection.until(() => false)
  const { received, closed } = connection
  connection.socket.destroy()
  return { text: received, answers: parseAnswers(received, isHead, closed), closed }
}

function isClose([name, value]: readonly [string, string]): boolean {
  return name.toLowerCase() === 'connection' && value.toLowerCase() === 'close'
}

/** The complete answers at the beginning of `text`; the last may be one that ends with the connection. */
export function parseAnswers(text: string, isHead = false, closed = false): readonly RawAnswer[] {
  const answers: RawAnswer[] = []
  let rest = text
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n')
    if (end < 0) break
    const [statusLine = '', ...fields] = rest.slice(0, end).split('\r\n')
    const [, status = '0', reason = ''] = /^HTTP\/1\.[01] (\d{3}) ?(.*)$/.exec(statusLine) ?? []
    const lines = fields.map(field => {
      const colon = field.indexOf(':')
      return [field.slice(0, colon), field.slice(colon + 1).trim()] as const
    })
    const after = rest.slice(end + 4)
    const isBodiless = isHead || status.startsWith('1') || status === '204' || status === '304'
    const body = isBodiless ? { text: '', length: 0 } : bodyOf(lines, after, closed)
    if (body === undefined) break
    if (!status.startsWith('1')) answers.push({ status: Number(status), reason, lines, body: body.text })
    rest = after.slice(body.length)
  }
  return answers
}

function bodyOf(
  lines: HeaderLines,
  after: string,
  closed: boolean,
): { text: string; length: number } | undefined {
  const value = (name: string) => lines.find(([key]) => key.toLowerCase() === name)?.[1]
  if (value('transfer-encoding') !== undefined) return chunkedBody(after)
  const length = value('content-length')
  if (length === undefined) return closed ? { text: after, length: after.length } : undefined
  return after.length < Number(length)
    ? undefined
    : { text: after.slice(0, Number(length)), length: Number(length) }
}

function chunkedBody(after: string): { text: string; length: number } | undefined {
  let text = ''
  let at = 0
  for (;;) {
    const line = after.indexOf('\r\n', at)
    if (line < 0) return undefined
    const size = Number.parseInt(after.slice(at, line), 16)
    if (size === 0) {
      const end = after.indexOf('\r\n\r\n', line)
      return end < 0 ? undefined : { text, length: end + 4 }
    }
    if (after.length < line + 2 + size + 2) return undefined
    text += after.slice(line + 2, line + 2 + size)
    at = line + 2 + size + 2
  }
}

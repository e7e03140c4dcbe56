import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { HeaderLines } from './header-lines.ts'

/** A handshake at a backend, and the connection to answer it on. */
export interface Handshake {
  readonly request: IncomingMessage
  readonly url: string
  /** The header lines as received. */
  readonly lines: HeaderLines
  readonly socket: Socket
  /** Bytes right behind it. */
  readonly head: Buffer
  /** Settles when the connection is gone. */
  readonly over: Promise<unknown>
}

/** A backend's reaction to a handshake. */
export type UpgradeScript = (handshake: Handshake) => void | Promise<void>

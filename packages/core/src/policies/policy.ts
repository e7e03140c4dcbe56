import type { Backend } from '../pool/backend.ts'
import type { HeaderFields, RequestHead, ResponseHead } from '../head.ts'
import type { Pool } from '../pool/pool.ts'

/** How the affinity key of a request was read. A key that cannot be used is a claim like any other, never an error. */
export type Claim =
  | { readonly kind: 'none' | 'invalid' | 'expired' | 'unknown' }
  | {
      readonly kind: 'backend'
      /** The id of the backend that the key names. */
      readonly id: string
      /** The key is good, and should be replaced all the same: it is due for renewal, or of an older secret or format. */
      readonly renew?: boolean
      /** When the session was first given its key, in milliseconds since the epoch, where the key tells. */
      readonly issuedMs?: number | undefined
      /** When the key was last renewed, likewise. */
      readonly seenMs?: number | undefined
    }

/** Several, in order of preference, when the client presents several keys. */
export type Claims = Claim | readonly Claim[]

/** What a policy is told when a backend has answered. */
export interface ResponseContext {
  readonly request: RequestHead
  readonly response: ResponseHead
  /** Who answered, which may be another than the one that was claimed. */
  readonly backend: Backend
  /** This policy's claim: the one that decided, or else the first that it read. */
  readonly claim: Claim
  /** Whether that claim named the backend that answered. */
  readonly matched: boolean
  /** Whether the client came by TLS: to us, or to a proxy that is trusted to say so. */
  readonly isSecure: boolean
}

/** Where the affinity key travels. Policies stand in a list; the first whose claim names a usable backend wins. */
export interface AffinityPolicy {
  /** Its word in events. @default 'custom' */
  readonly name?: string
  /**
   * Reads the key. Never throws for what a client sent.
   * A promise only where a remote store has to be asked.
   */
  read(request: RequestHead): Claims | Promise<Claims>
  /** One line of the client's Cookie header as the backend is to see it; `''` leaves the line out. Absent: unchanged. */
  forwardCookie?(line: string, request: RequestHead): string
  /**
   * Makes the client come back to `answer.backend`, by editing the fields that it will get.
   * The fields are on their way when it returns: a promise, as of a store that is told, is not waited for, and when it
   * fails only the diagnostics hear of it. Absent: nothing to tell the client.
   */
  write?(answer: ResponseContext, fields: HeaderFields): void | Promise<void>
  /**
   * How many live sessions are tied to a backend, as far as this process has seen them; for operators, and for the end
   * of a drain. Undefined, or absent: it cannot tell.
   */
  sessions?(backendId: string): number | undefined
}

/** What a policy of ours is built with, once, when its affinity is. */
export interface PolicyContext {
  readonly pool: Pool
  /**
   * Newest first; at least one, validated.
   * @throws OptionError when there is none: only who signs something asks.
   */
  readonly secrets: readonly Uint8Array[]
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

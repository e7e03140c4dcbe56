import type { Backend } from '../pool/backend.ts'
import type { HeaderFields, RequestHead, ResponseHead } from '../head.ts'
import type { ForwardField } from '../http/request-lines.ts'
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
      /**
       * A text that tells the session from others, as the key itself. At the end of a drain, sessions move in an order
       * that is made of it; absent: the session moves first.
       */
      readonly sessionId?: string
      /** When the session was first given its key, in milliseconds since the epoch, where the key tells. */
      readonly issuedMs?: number | undefined
      /** When the key was last renewed, likewise. */
      readonly seenMs?: number | undefined
    }

/** Several, in order of preference, when the client presents several keys. */
export type Claims = Claim | readonly Claim[]

/** A key of a request, or the place without one, as a policy explains it. */
export interface ExplainedKey {
  readonly claim: Claim
  /** The place of the key, as `cookie SERVERID`. */
  readonly field?: string
  /** The kind of value, as `signed`, or the format of another load balancer. Absent: there is no value, or it is unknown. */
  readonly format?: string
  /** The value, shortened by `masked()`: never all of it. */
  readonly value?: string
  /** Why the claim is what it is, as `the signature is of none of the secrets`. */
  readonly note?: string
}

/** The response of a backend, for a policy. */
export interface ResponseContext {
  readonly request: RequestHead
  readonly response: ResponseHead
  /** The backend that responded, which may be another than the claimed one. */
  readonly backend: Backend
  /** This policy's claim: the one that decided, or else the first that it read. */
  readonly claim: Claim
  /** Whether that claim named the backend that responded. */
  readonly matched: boolean
  /** Whether the client came by TLS: to us, or to a proxy that is trusted to say so. */
  readonly isSecure: boolean
  /**
   * For the figures: a policy reports there a key that it gives in `responded`. Keys of `write` are counted without.
   * Absent: the request is not counted.
   */
  readonly session?: SessionReport
}

/** The effect of a response on its session. Of several reports on one request the first counts. */
export interface SessionReport {
  /** The client was given a key of the responding backend, and had none before. */
  started(): void
  /**
   * The client was given a key of the responding backend in place of another's.
   * @param from the id of the other; undefined: it has left the pool
   */
  moved(from: string | undefined): void
}

/** Defines where the affinity key is stored. Policies stand in a list; the first whose claim names a usable backend wins. */
export interface AffinityPolicy {
  /** Its word in events. @default 'custom' */
  readonly name?: string
  /**
   * Reads the key. Must not throw for any request of a client.
   * Returns a promise only where a remote store is queried.
   */
  read(request: RequestHead): Claims | Promise<Claims>
  /**
   * Reads the keys as `read` does, without an effect of its own, and tells what they are. One for each key, or one for
   * the place that has none. Called for explanations alone. Absent: `read` is called.
   */
  explain?(request: RequestHead): readonly ExplainedKey[] | Promise<readonly ExplainedKey[]>
  /**
   * Changes header fields on their way to the backend, so that the policy's key does not reach it: functions by the
   * lower-case name of the field, which get the value of one line and return the value for the backend. `''` leaves the
   * line out. Fields that frame the message or describe the client cannot be changed. Absent: all pass.
   */
  readonly forwardHeaders?: Readonly<Record<string, ForwardField>>
  /**
   * Gives the client its key, by editing the fields of the response. Called only when the key is news: the response is
   * of another backend than the claim names, or the claim is to be renewed.
   * The fields are sent when it returns: a promise, as of a remote store, is not awaited, and its
   * rejection is only published on the diagnostics channels. Absent: the client gets nothing.
   * @returns false when the client got no key after all: its session is not counted. A key that replaces none, an
   *   invalid or an expired one begins a session in the figures; one that replaces another moves it.
   */
  write?(exchange: ResponseContext, fields: HeaderFields): void | false | Promise<void>
  /**
   * Called with every response, before `write`: for policies that learn from the application's own fields, or edit
   * them. As `write` in all else.
   */
  responded?(exchange: ResponseContext, fields: HeaderFields): void | Promise<void>
  /**
   * How many live sessions are tied to a backend, as far as this process has seen them; for operators, and for the end
   * of a drain. Undefined, or absent: it cannot tell.
   */
  sessions?(backendId: string): number | undefined
  /**
   * Those among them that this process has seen, for as long as `sessions` cannot tell. Figures show it as an estimate.
   * Absent: unknown.
   */
  sessionsSeen?(backendId: string): number | undefined
}

/** The parts of an affinity that its policies are made with. */
export interface PolicyContext {
  readonly pool: Pool
  /**
   * The option `secrets` as bytes, newest first; at least one, validated.
   * @throws OptionError when there is none: only policies that sign read it
   */
  readonly secrets: readonly Uint8Array[]
  /** Milliseconds since the epoch, for times that other processes read. */
  readonly now: () => number
  /** The same, and even when the system's clock is set: for all that lasts a while in this process. */
  readonly steadyNow: () => number
}

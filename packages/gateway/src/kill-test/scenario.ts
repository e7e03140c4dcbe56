import type { Capture } from './capture.ts'
import type { Expectation } from './expectation.ts'
import type { Template } from './template.ts'
import type { Upload } from './upload.ts'

/** The operator's actions on a backend, in the order in which they are done. */
export const ACTIONS = ['drain', 'kill', 'restart', 'ready'] as const
export type Action = (typeof ACTIONS)[number]

/** Shell commands, by the action that they do. */
export type Hooks = Readonly<Partial<Record<Action, string | undefined>>>

/** A request of a session, or a WebSocket message. */
export interface Step {
  /** As `POST /cart/items`, for reports. */
  readonly label: string
  /** `websocket`, or a method. */
  readonly method: string
  readonly path: Template
  readonly headers: readonly (readonly [name: string, value: Template])[]
  readonly body: StepBody
  /** Of a WebSocket: the connection stays open until the session ends. */
  readonly keep: boolean
  readonly timeoutMs: number
  readonly expect: Expectation
  readonly captures: readonly (readonly [name: string, capture: Capture])[]
  /** The value that the application knows after this step. */
  readonly writes: Template | undefined
  /** Where the values that this session has written must be. */
  readonly reads: Capture | undefined
  /** Where a number is that this step increases by at least one. */
  readonly counts: Capture | undefined
}

export type StepBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'text'; readonly type: string; readonly text: Template }
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'form'; readonly fields: readonly (readonly [name: string, value: Template])[] }
  | { readonly kind: 'upload'; readonly upload: Upload }

/** The steps of each session, and the operator's access to the backends. */
export interface Scenario {
  readonly name: string
  readonly target: string | undefined
  readonly sessions: number
  /** Steps a second, of all sessions together. */
  readonly rate: number
  /** Redirects that one step follows. */
  readonly redirects: number
  /** Addresses of this machine that sessions connect from, in turns; empty: the system chooses. */
  readonly localAddresses: readonly string[]
  /** Where a response says which backend it is from. */
  readonly backend: Capture | undefined
  /** Once for each session, and again after the application has forgotten the session. */
  readonly open: readonly Step[]
  readonly repeat: readonly Step[]
  readonly hooks: Hooks
  /** Hooks of single backends, by name. */
  readonly backends: ReadonlyMap<string, Hooks>
}

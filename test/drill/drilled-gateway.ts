import type { BackendProcess } from '../support/shop-process.ts'

/** When a gateway has found a backend down, or up again. */
export interface Found {
  readonly backend: string
  readonly healthy: boolean
  readonly atMs: number
}

/** A gateway before shops, on which a drill operates. It lacks the features for which it has no method. */
export interface DrilledGateway {
  readonly name: string
  readonly port: number
  /** The process that makes its checks, if it is one of limpet. */
  readonly pid?: number | undefined
  /** Its events, where it reports them. */
  readonly found?: readonly Found[]
  /** Lets a shop keep its sessions and get no new one, until the deadline; then it can be stopped. */
  drain?(id: string, deadlineMs: number): Promise<void>
  /** Lets a shop keep its sessions and get no new one, until it is `ready`. */
  hold?(id: string): Promise<void>
  /** A drained shop is back. */
  ready?(id: string): Promise<void>
  add?(shop: BackendProcess): Promise<void>
  remove?(id: string): Promise<void>
  /** The ids of the shops that it takes for healthy, where it tells. */
  healthy?(): Promise<readonly string[]>
  stop(): Promise<void>
}

export type StartGateway = (shops: readonly BackendProcess[]) => Promise<DrilledGateway>

/** Times in milliseconds, and results of checks in a row. */
export interface Settings {
  readonly checkInterval: number
  readonly checkTimeout: number
  readonly fall: number
  readonly rise: number
  readonly connectTimeout: number
  readonly responseTimeout: number
  readonly slowStart: number
}

/** The same for all gateways. */
export const SETTINGS: Settings = {
  checkInterval: 100,
  checkTimeout: 300,
  fall: 2,
  rise: 2,
  connectTimeout: 500,
  responseTimeout: 1_000,
  slowStart: 2_000,
}

/**
 * For drills in which a lost backend refuses connections: no timeout has to find it. So each is long enough for a backend
 * that waits for a CPU.
 */
export const PATIENT: Settings = {
  ...SETTINGS,
  checkTimeout: 10_000,
  connectTimeout: 10_000,
  responseTimeout: 30_000,
}

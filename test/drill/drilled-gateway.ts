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

/** The same for all gateways, in milliseconds. */
export const SETTINGS = {
  checkInterval: 100,
  checkTimeout: 300,
  fall: 2,
  rise: 2,
  connectTimeout: 500,
  responseTimeout: 1_000,
  slowStart: 2_000,
} as const

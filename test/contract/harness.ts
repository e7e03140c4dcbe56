import type { IncomingMessage } from 'node:http'
import type { Server } from 'node:net'
import type {
  Affinity,
  AffinityOptions,
  DiscoveryOptions,
  DiscoverySource,
  Duration,
  HeaderEditOptions,
  HealthOptions,
} from '@limpet/core'
import type { LimpetInfo } from '@limpet/http-proxy'

/** The parts that an adapter provides for the contract. */
export interface Harness {
  /** Its name in the report. */
  readonly name: string
  /** Starts a gateway on a free port of 127.0.0.1. */
  start(options: GatewayOptions): Promise<Gateway>
}

/** The options of core, and those that every adapter has beside them. */
export interface GatewayOptions extends AffinityOptions {
  readonly timeouts?: {
    readonly connect?: Duration
    readonly response?: Duration
    readonly total?: Duration
    readonly idle?: Duration
    readonly tunnel?: Duration
  }
  readonly tls?: { readonly ca?: string; readonly servername?: string; readonly verify?: boolean }
  readonly bodyLimit?: number
  readonly health?: HealthOptions
  readonly discovery?: DiscoveryOptions | DiscoverySource
  readonly requestHeaders?: HeaderEditOptions
  readonly responseHeaders?: HeaderEditOptions
  /** The application around limpet. */
  readonly around?: Around
}

/** An application with middleware (or hooks) of its own before limpet, response hooks, and an error handler. */
export interface Around {
  /** Runs `next`, and with it all that follows: for requests and for WebSocket handshakes. */
  enter<T>(request: IncomingMessage, next: () => T): T
  /** A hook of the framework ran that sees the response. @param info the pool's part in the request */
  onResponse(info?: LimpetInfo): void
  /** The framework's error handler ran. */
  onError(info?: LimpetInfo): void
}

export interface Gateway {
  readonly port: number
  /** Where its clients' connections end. */
  readonly server: Server
  readonly affinity: Affinity
  close(): Promise<void>
}

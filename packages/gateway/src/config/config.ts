import type { AffinityOptions } from '@limpet/core'
import type { HttpProxyOptions } from '@limpet/http-proxy'
import type { KeptValues } from './secret-ref.ts'
import { type Problem, problemText } from './problem.ts'
import type { Route } from './routes.ts'

export type ReloadTrigger = 'signal' | 'watch'

export type AdapterName = 'fastify' | 'express' | 'koa'

/** A configuration as it was written: all that another process needs to load the same. */
export interface ConfigSource {
  readonly file: string
  readonly text: string
  /** Instead of the file's. */
  readonly adapter: AdapterName | undefined
  /** Instead of the file's. */
  readonly reload?: ReloadTrigger | undefined
  /** The values that the text refers to, as the process that has read them saw them; undefined: read them. */
  readonly kept: KeptValues | undefined
}

export interface PoolConfig {
  readonly name: string
  readonly options: HttpProxyOptions & Partial<AffinityOptions>
  /** The same for two that differ in their backends alone. */
  readonly signature: string
}

export interface Address {
  readonly host: string
  readonly port: number
}

/** A file, read, checked and complete. Durations in milliseconds. */
export interface GatewayConfig {
  readonly source: ConfigSource
  readonly listen: Address & {
    readonly tls: { readonly cert: string; readonly key: string } | undefined
    readonly http2: boolean
    /** The path that the gateway answers itself; undefined: none. */
    readonly health: string | undefined
  }
  readonly adapter: AdapterName
  /** When the file is read again: at SIGHUP alone, or also when it has changed. */
  readonly reload: ReloadTrigger
  /** Time after the signal to end, in which new requests are still served. */
  readonly preStopMs: number
  readonly shutdownGraceMs: number
  /** Processes that share the port. */
  readonly workers: number
  /** The signing secret where none is configured. */
  readonly randomSecret: string
  readonly limits: Limits
  readonly log: {
    readonly access: boolean
    readonly sample: number
    /** Requests without a line. */
    readonly skip: readonly LogSkip[]
    readonly level: string
  }
  readonly routes: readonly Route[]
  readonly pools: readonly PoolConfig[]
  readonly admin: AdminConfig | undefined
  /** The state that several processes and gateways share; undefined: each process has its own. */
  readonly store: StoreConfig | undefined
  /** Settings that are valid and perhaps a mistake. */
  readonly warnings: readonly string[]
  /** The same, for those who check the file: too much for every start. */
  readonly advice: readonly string[]
}

/** Requests that get no line in the log: those with this path and this status; undefined: any. */
export interface LogSkip {
  readonly path: string | undefined
  readonly status: number | string | undefined
}

/** Redis or Valkey, as @limpet/redis takes it. */
export interface StoreConfig extends StoreConnection {
  readonly prefix: string
  /** In milliseconds. */
  readonly deadline: number
  readonly maxEntries: number
}

/** Where Redis or Valkey is: `url` or `sentinel`. All texts are values, and no references. */
export interface StoreConnection {
  readonly url?: string | readonly string[]
  readonly sentinel?: { readonly name: string; readonly nodes: readonly string[] }
  readonly username?: string
  readonly password?: string
  /** Of `tls.connect()`. Certificates and keys are in PEM. */
  readonly tls?: { readonly [option: string]: string }
}

/** The admin port. */
export interface AdminConfig extends Address {
  /** Undefined: the port accepts connections from this machine alone. */
  readonly token: string | undefined
  /** Names that a Host field may have, beside the default ones. */
  readonly hosts: readonly string[]
  /** Hosts, networks and sockets of backends that may be added; undefined: those beside the backends of the file. */
  readonly allowBackends: readonly string[] | undefined
}

/** Limits for slow and greedy clients. */
export interface Limits {
  readonly maxHeaderSize: number
  readonly headersTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly keepAliveMs: number
  /** How long a client may read nothing of its response; 0: no limit. */
  readonly sendTimeoutMs: number
  /** 0: no limit. */
  readonly connections: number
  /** Of one address; 0: no limit. */
  readonly connectionsPerAddress: number
  /** Requests of one HTTP/1 connection that are in flight. */
  readonly unanswered: number
}

/** All the problems of a file. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly Problem[]
  constructor(problems: readonly Problem[]) {
    super(problems.map(problemText).join('\n'))
    this.problems = problems
  }
}

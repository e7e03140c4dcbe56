import { randomBytes } from 'node:crypto'
import { dirname, resolve } from 'node:path'
import { createSecureContext } from 'node:tls'
import { wordError } from '@limpet/core/options'
import { tokenProblem } from '../admin/admin-token.ts'
import { isLoopback } from './admin-options.ts'
import { adviceOn } from './advice.ts'
import { ConfigError, type ConfigSource, type GatewayConfig } from './config.ts'
import { CONFIG_OPTIONS, type ConfigFile } from './config-options.ts'
import { cookieProblems } from './cookie-problems.ts'
import { PoolReader } from './pool-reader.ts'
import type { ProblemList } from './problem.ts'
import type { Route } from './routes.ts'
import { KeptElsewhere } from './secret-ref.ts'
import { StoreReader } from './store-reader.ts'

/** Shared by this process and its workers, so that a reload keeps all sessions. */
const RANDOM_SECRET = process.env['LIMPET_RANDOM_SECRET'] ?? randomBytes(32).toString('base64url')

/** How a file is checked. */
export interface CheckOptions {
  /** A reference to a secret or a file that cannot be read is advice, and no problem. */
  readonly withoutSecrets?: boolean
}

type Checked = ReturnType<typeof CONFIG_OPTIONS.read>

/** Makes a configuration of a file that its tables have checked, and finds what only the whole file shows. */
export class ConfigReader {
  readonly #file: ConfigFile
  readonly #checked: Checked
  readonly #source: ConfigSource
  readonly #kept: KeptElsewhere
  readonly #problems: ProblemList
  readonly #warnings: string[] = []
  /** References that cannot be read, where that is no problem. */
  readonly #missing: string[] = []

  /** @param file the right parts of it @param problems those of its wrong parts */
  constructor(
    file: ConfigFile,
    source: ConfigSource,
    problems: ProblemList,
    { withoutSecrets }: CheckOptions,
  ) {
    this.#file = file
    // The problems are known.
    this.#checked = CONFIG_OPTIONS.read('', file, [])
    this.#source = source
    this.#kept = new KeptElsewhere(
      dirname(resolve(source.file)),
      source.kept,
      withoutSecrets === true ? this.#missing : undefined,
    )
    this.#problems = problems
  }

  /** @throws ConfigError with every problem of the file */
  read(): GatewayConfig {
    const { limits, log, preStop, shutdownGrace, workers } = this.#checked
    const adapter = this.#source.adapter ?? this.#checked.adapter
    const config: GatewayConfig = {
      source: this.#source,
      listen: this.#listen(adapter),
      adapter,
      workers,
      reload: this.#source.reload ?? this.#checked.reload,
      randomSecret: RANDOM_SECRET,
      preStopMs: preStop,
      shutdownGraceMs: shutdownGrace,
      limits: {
        maxHeaderSize: limits.headers,
        headersTimeoutMs: limits.headersTimeout,
        requestTimeoutMs: limits.requestTimeout,
        keepAliveMs: limits.keepAlive,
        sendTimeoutMs: limits.sendTimeout,
        connections: limits.connections,
        connectionsPerAddress: limits.connectionsPerAddress,
        unanswered: limits.unanswered,
      },
      log,
      pools: this.#pools(),
      routes: this.#routes(),
      admin: this.#admin(),
      store: this.#store(),
      warnings: this.#warnings,
      advice: [],
    }
    // Pools with other problems cannot be compared.
    if (this.#problems.all.length === 0)
      for (const { path, text } of cookieProblems(config.routes, config.pools)) this.#problems.add(path, text)
    if (this.#problems.all.length > 0) throw new ConfigError(this.#problems.all)
    // Now that all of it is read.
    const source = { ...this.#source, kept: this.#kept.values }
    return { ...config, source, advice: [...this.#missing, ...adviceOn(this.#file)] }
  }

  #listen(adapter: string): GatewayConfig['listen'] {
    const { listen } = this.#checked
    if (!('http2' in listen)) return { ...listen, tls: undefined, http2: false, health: undefined }
    const { tls, http2 } = listen
    if (http2 && adapter !== 'fastify')
      this.#problems.add('listen.http2', `needs the adapter fastify; ${adapter} has no HTTP/2`)
    return { ...listen, tls: tls && this.#certificate(tls) }
  }

  #certificate(tls: { readonly cert: string; readonly key: string }): { cert: string; key: string } {
    const cert = this.#kept.fileFor('listen.tls.cert', this.#problems, tls.cert)
    const key = this.#kept.fileFor('listen.tls.key', this.#problems, tls.key)
    try {
      // A file that cannot be read is a problem already.
      if (cert !== '' && key !== '') createSecureContext({ cert, key })
    } catch (error) {
      this.#problems.add(
        'listen.tls',
        `takes a certificate and its key, as PEM (${(error as Error).message})`,
      )
    }
    return { cert, key }
  }

  #pools(): GatewayConfig['pools'] {
    const { pools, secrets, trustProxy = [] } = this.#file
    const isSigned = Object.values(pools).some(({ affinity = [] }) => affinity.some(isSigning))
    if (secrets === undefined && isSigned)
      this.#warnings.push('no secrets: a random one is used, and a restart forgets every session')
    const reader = new PoolReader(this.#kept, this.#problems, {
      secrets: secrets?.map((secret, index) =>
        this.#kept.randomFor(`secrets[${index}]`, this.#problems, secret),
      ) ?? [RANDOM_SECRET],
      trustProxy,
      hasStore: this.#checked.store !== undefined,
    })
    return Object.entries(pools).map(([name, file]) => reader.read(name, file))
  }

  #routes(): readonly Route[] {
    const { routes } = this.#checked
    const names = Object.keys(this.#file.pools)
    if (routes === undefined) {
      const [only] = names
      if (names.length > 1)
        this.#problems.add('routes', 'is missing; with several pools it says which requests a pool gets')
      return only === undefined ? [] : [{ host: undefined, path: '/', pool: only }]
    }
    const takes = `one of ${names.join(', ')}`
    for (const [index, { pool }] of routes.entries())
      if (!names.includes(pool))
        this.#problems.addAll(wordError(`routes[${index}].pool`, pool, names, takes).problems)
    return routes
  }

  #store(): GatewayConfig['store'] {
    const { store } = this.#checked
    if (store === undefined) return undefined
    if (this.#file.secrets === undefined)
      this.#problems.add('secrets', 'is missing; gateways that share a store need the same secrets')
    return new StoreReader(this.#kept, this.#problems).read(store.redis)
  }

  #admin(): GatewayConfig['admin'] {
    const { admin } = this.#checked
    if (admin === undefined) return undefined
    const { listen, token, hosts, allowBackends } = admin
    if (token !== undefined && !isLoopback(listen.host))
      this.#warnings.push(
        `admin.token travels in clear to ${listen.host}: keep that network private, or put TLS in front and listen on loopback`,
      )
    return { ...listen, hosts, allowBackends, token: token === undefined ? undefined : this.#token(token) }
  }

  #token(reference: string): string {
    const token = this.#kept.randomFor('admin.token', this.#problems, reference)
    // An empty one is a reference that has failed, and a problem already.
    const text = token === '' ? undefined : tokenProblem(token)
    if (text !== undefined) this.#problems.add('admin.token', text)
    return token
  }
}

function isSigning(policy: object): boolean {
  return 'cookie' in policy || 'prefix' in policy
}

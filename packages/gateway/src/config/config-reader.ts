import { createHash, randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { dirname, resolve } from 'node:path'
import { createSecureContext } from 'node:tls'
import { type DiscoverySource, type Duration, durationMs, OptionError, redact } from '@limpet/core'
import type { OptionProblem } from '@limpet/core/options'
import type { HttpProxyOptions } from '@limpet/http-proxy'
import type { KubernetesOptions } from '@limpet/kubernetes'
import { tokenProblem } from '../admin/admin-token.ts'
import { isLoopbackAddress } from '../admin/admission.ts'
import { isBackendRule } from '../admin/allowed-backends.ts'
import {
  type AdapterName,
  type Address,
  ConfigError,
  type ConfigSource,
  type GatewayConfig,
  type PoolConfig,
} from './config.ts'
import { headerProblems } from '../serving/header-policy.ts'
import { KeptElsewhere } from './secret-ref.ts'
import { kubernetesSource } from './kubernetes-discovery.ts'
import { bytes, type KubernetesFile, type PoolContext, poolOptions } from './pool-options.ts'
import { optionProblems } from './pool-problems.ts'
import { keyText } from './problem-path.ts'
import { gotWord, type Problem } from './problems.ts'
import { HOST_TAKES, routeHost } from './route-host.ts'
import { routePath } from './route-path.ts'
import { cookieProblems } from './cookie-problems.ts'
import type { Route } from './routes.ts'
import type { ConfigFile, PoolFile } from './schema.ts'

/** Shared by this process and its workers, so that a reload keeps all sessions. */
const RANDOM_SECRET = process.env['LIMPET_RANDOM_SECRET'] ?? randomBytes(32).toString('base64url')

const MIN_HEADER_BYTES = 1024
const MAX_HEADER_BYTES = 16 * 1024 ** 2

/** In the place of one that cannot be made, so that the rest of the file can be checked. */
const NO_SOURCE: DiscoverySource = { name: '', subscribe: () => ({ close: () => undefined }) }

/** Makes a configuration of a file that has the right shape, and collects the problems that a shape cannot show. */
export class ConfigReader {
  readonly #file: ConfigFile
  readonly #source: ConfigSource
  readonly #folder: string
  readonly #kept: KeptElsewhere
  readonly #problems: Problem[] = []
  readonly #warnings: string[] = []

  constructor(file: ConfigFile, source: ConfigSource) {
    this.#file = file
    this.#source = source
    this.#folder = dirname(resolve(source.file))
    this.#kept = new KeptElsewhere(this.#folder, source.kept)
  }

  read(): GatewayConfig {
    const { log = {}, limits = {}, preStop, shutdownGrace } = this.#file
    const adapter = this.#source.adapter ?? this.#file.adapter ?? 'fastify'
    const config: GatewayConfig = {
      source: this.#source,
      listen: this.#listen(adapter),
      adapter,
      workers: this.#workers(),
      randomSecret: RANDOM_SECRET,
      preStopMs: this.#duration('preStop', preStop, 0),
      shutdownGraceMs: this.#duration('shutdownGrace', shutdownGrace, '10s'),
      limits: {
        maxHeaderSize: this.#headerSize(limits.headers),
        headersTimeoutMs: this.#duration('limits.headersTimeout', limits.headersTimeout, '10s'),
        requestTimeoutMs: this.#duration('limits.requestTimeout', limits.requestTimeout, 0),
        keepAliveMs: this.#duration('limits.keepAlive', limits.keepAlive, '75s'),
        sendTimeoutMs: this.#duration('limits.sendTimeout', limits.sendTimeout, '30s'),
        connections: limits.connections ?? 0,
        connectionsPerAddress: limits.connectionsPerAddress ?? 0,
        unanswered: limits.unanswered ?? 16,
      },
      log: { access: log.access ?? true, sample: log.sample ?? 1, level: log.level ?? 'info' },
      pools: this.#pools(),
      routes: this.#routes(),
      admin: this.#admin(),
      warnings: this.#warnings,
    }
    // Pools with other problems cannot be compared.
    if (this.#problems.length === 0) this.#problems.push(...cookieProblems(config.routes, config.pools))
    if (this.#problems.length > 0) throw new ConfigError(this.#problems)
    // Now that all of it is read.
    return { ...config, source: { ...this.#source, kept: this.#kept.values } }
  }

  #listen(adapter: AdapterName): GatewayConfig['listen'] {
    const { listen = '127.0.0.1:8080' } = this.#file
    if (typeof listen === 'string')
      return { ...this.#address('listen', listen), tls: undefined, http2: false }
    const { host = '127.0.0.1', port, tls, http2 = false } = listen
    if (http2 && tls === undefined) this.#problems.push({ path: 'listen.http2', text: 'needs listen.tls' })
    if (http2 && adapter !== 'fastify')
      this.#problems.push({
        path: 'listen.http2',
        text: `needs the adapter fastify; ${adapter} has no HTTP/2`,
      })
    return {
      host,
      port,
      http2,
      tls: tls && this.#certificate(tls),
    }
  }

  #certificate(tls: { cert: string; key: string }): { cert: string; key: string } {
    const cert = this.#text('listen.tls.cert', () => this.#kept.file(tls.cert))
    const key = this.#text('listen.tls.key', () => this.#kept.file(tls.key))
    try {
      // A file that cannot be read is a problem already.
      if (cert !== '' && key !== '') createSecureContext({ cert, key })
    } catch (error) {
      const text = `takes a certificate and its key, as PEM (${(error as Error).message})`
      this.#problems.push({ path: 'listen.tls', text })
    }
    return { cert, key }
  }

  /** Longer than a timer can count is a problem as well. */
  #duration(path: string, value: unknown, fallback: Duration): number {
    try {
      return durationMs(path, value, fallback)
    } catch (error) {
      if (!(error instanceof OptionError)) throw error
      this.#noteAll('', error)
      return 0
    }
  }

  /** Node takes 0 for its own default, and HTTP/2 counts in 32 bits. */
  #headerSize(value: number | string = '16KiB'): number {
    const size = bytes(value)
    if (!(size >= MIN_HEADER_BYTES && size <= MAX_HEADER_BYTES))
      this.#problems.push({ path: 'limits.headers', text: 'takes a size from 1KiB to 16MiB' })
    return size
  }

  #workers(): number {
    const { workers = 1, pools } = this.#file
    const count = workers === 'auto' ? availableParallelism() : workers
    for (const [name, { affinity = [] }] of count > 1 ? Object.entries(pools) : []) {
      const index = affinity.findIndex(policy => 'learn' in policy)
      if (index >= 0)
        this.#problems.push({
          path: `pools.${name}.affinity[${index}].learn`,
          text: 'remembers in one process; it needs workers: 1',
        })
    }
    return count
  }

  #address(path: string, value: string): Address {
    const colon = value.lastIndexOf(':')
    const port = Number(value.slice(colon + 1))
    if (port > 65_535) this.#problems.push({ path, text: `got the port ${port}; it takes at most 65535` })
    return { host: value.slice(0, colon).replaceAll(/[[\]]/g, ''), port }
  }

  #pools(): readonly PoolConfig[] {
    const { pools, secrets, trustProxy = [] } = this.#file
    const names = Object.keys(pools)
    if (names.length === 0) this.#problems.push({ path: 'pools', text: 'is empty; it takes one at least' })
    if (secrets === undefined) {
      const isSigned = Object.values(pools).some(({ affinity = [] }) => affinity.some(isSigning))
      if (isSigned)
        this.#warnings.push('no secrets: a random one is used, and a restart forgets every session')
    }
    const context = {
      secrets: secrets?.map((secret, index) =>
        this.#text(`secrets[${index}]`, () => this.#kept.text(secret)),
      ) ?? [RANDOM_SECRET],
      trustProxy,
    }
    return names.flatMap(name => {
      const file = pools[name]
      return file === undefined ? [] : [this.#pool(name, file, context)]
    })
  }

  #pool(name: string, file: PoolFile, context: Omit<PoolContext, 'read' | 'kubernetes'>): PoolConfig {
    const path = `pools.${name}`
    // Those of `requestHeaders` are the adapter's to find.
    for (const [at, text] of headerProblems(file.responseHeaders ?? {}))
      this.#problems.push({ path: `${path}.responseHeaders.${fieldPath(at)}`, text: withoutQuotes(text) })
    const options = poolOptions(name, file, {
      ...context,
      read: (at, text, how) =>
        this.#text(`${path}.${at}`, () => (how === 'file' ? this.#kept.file(text) : this.#kept.text(text))),
      kubernetes: service => this.#kubernetes(`${path}.discovery.kubernetes`, service),
    })
    // The problems that core and the adapters find, before anything is started.
    for (const problem of optionProblems(options)) this.#note(path, problem)
    return { name, options, signature: signatureOf(options, file) }
  }

  #kubernetes(path: string, { kubeconfig, ...rest }: KubernetesFile): DiscoverySource {
    const file = kubeconfig === undefined ? {} : { kubeconfig: resolve(this.#folder, kubeconfig) }
    try {
      // The schema has looked at its values.
      return kubernetesSource({ ...rest, ...file } as object as KubernetesOptions)
    } catch (error) {
      if (isOptionError(error)) this.#noteAll(path, error)
      else this.#problems.push({ path, text: (error as Error).message })
      return NO_SOURCE
    }
  }

  #routes(): readonly Route[] {
    const { pools, routes } = this.#file
    const names = Object.keys(pools)
    if (routes === undefined) {
      const [only] = names
      if (names.length > 1 || only === undefined) {
        if (names.length > 1)
          this.#problems.push({
            path: 'routes',
            text: 'is missing; with several pools it says who gets what',
          })
        return []
      }
      return [{ host: undefined, path: '/', pool: only }]
    }
    const seen = new Set<string>()
    return routes.map(({ host: written, path: begin = '/', pool }, index) => {
      const host = written === undefined ? undefined : routeHost(written)
      if (written !== undefined && host === undefined)
        this.#problems.push({
          path: `routes[${index}].host`,
          text: `${gotWord(written, [])}; it takes ${HOST_TAKES}`,
        })
      // As the paths of requests are compared.
      const path = /[?#;]/.test(begin) ? undefined : routePath(begin)
      if (path === undefined)
        this.#problems.push({
          path: `routes[${index}].path`,
          text: `${gotWord(begin, [])}; it takes a path without ?, #, ;, \\, // and the segments . and ..`,
        })
      const key = `${written?.toLowerCase() ?? ''} ${path ?? begin}`
      if (!names.includes(pool))
        this.#problems.push({
          path: `routes[${index}].pool`,
          text: `${gotWord(pool, names)}; it takes one of ${names.join(', ')}`,
        })
      if (seen.has(key))
        this.#problems.push({
          path: `routes[${index}]`,
          text: 'is there already: no two routes are of one host and path',
        })
      seen.add(key)
      return { host, path: path ?? begin, pool }
    })
  }

  #admin(): GatewayConfig['admin'] {
    const { admin } = this.#file
    if (admin === undefined) return undefined
    const { token } = admin
    const address = this.#address('admin.listen', admin.listen ?? '127.0.0.1:8404')
    if (token === undefined && address.host !== 'localhost' && !isLoopbackAddress(address.host))
      this.#problems.push({ path: 'admin.token', text: `is missing; ${address.host} is no loopback address` })
    for (const [index, rule] of (admin.allowBackends ?? []).entries()) {
      if (!isBackendRule(rule))
        this.#problems.push({
          path: `admin.allowBackends[${index}]`,
          text: `got ${redact(rule)}; it takes an address, a range as 10.0.0.0/8, a host, *.domain, or unix:/path`,
        })
    }
    if (token !== undefined && address.host !== 'localhost' && !isLoopbackAddress(address.host))
      this.#warnings.push(
        `admin.token travels in clear to ${address.host}: keep that network private, or put TLS in front and listen on loopback`,
      )
    return {
      ...address,
      hosts: admin.hosts ?? [],
      allowBackends: admin.allowBackends,
      token: token === undefined ? undefined : this.#token(token),
    }
  }

  #token(reference: string): string {
    const token = this.#text('admin.token', () => this.#kept.text(reference))
    // An empty one is a reference that has failed, and a problem already.
    const text = token === '' ? undefined : tokenProblem(token)
    if (text !== undefined) this.#problems.push({ path: 'admin.token', text })
    return token
  }

  #text(path: string, read: () => string): string {
    try {
      return read()
    } catch (error) {
      this.#problems.push({ path, text: (error as Error).message })
      return ''
    }
  }

  #noteAll(path: string, { problems }: OptionError): void {
    for (const problem of problems) this.#note(path, problem)
  }

  #note(path: string, { option, message }: OptionProblem): void {
    // Options that all pools share are reported at the file's level.
    const isShared = /^(?:secrets|trustProxy)/.test(option)
    const where = isShared ? option : [path, fieldPath(option)].filter(part => part !== '').join('.')
    if (!this.#problems.some(problem => problem.path === where))
      this.#problems.push({ path: where, text: message })
  }
}

/** A path in a pool that may end with the name of a header field, as the file has it. */
function fieldPath(path: string): string {
  const [, holder, name] = /^((?:requestHeaders\.)?set\.|health\.headers\.)([^]*)$/.exec(path) ?? []
  return holder === undefined || name === undefined ? path : holder + keyText(name)
}

/** The optional package may have brought a copy of core of its own, with another class of this name. */
function isOptionError(error: unknown): error is OptionError {
  return error instanceof Error && 'code' in error && error.code === 'ERR_INVALID_OPTION'
}

/** Node quotes names of header fields in its messages, and a name may be a secret in the wrong place. */
function withoutQuotes(text: string): string {
  return text.replace(/ \["[^]*"\]/, '')
}

/** Policies are functions, so the file stands for them. */
function signatureOf(options: HttpProxyOptions, file: PoolFile): string {
  return createHash('sha256')
    .update(JSON.stringify([options, file], withoutBackends))
    .digest('hex')
}

function withoutBackends(key: string, value: unknown): unknown {
  return key === 'backends' ? undefined : value
}

function isSigning(policy: object): boolean {
  return 'cookie' in policy || 'prefix' in policy
}

import type { PoolFile } from '../config/pool-file.ts'
import type { PolicyFile } from './draft.ts'
import { hashKey, hasQuery, MOVES_ONCE, WITHOUT_QUERY } from './nginx-balance.ts'
import type { Report } from './report.ts'
import type { Statement } from './statement.ts'
import { durationIn, integerIn, MAX_LIFE_MS, sizeIn } from './units.ts'

const PREFIX = 'nginx.ingress.kubernetes.io/'

const KNOWN: ReadonlySet<string> = new Set([
  'affinity',
  'affinity-mode',
  'session-cookie-name',
  'session-cookie-path',
  'session-cookie-domain',
  'session-cookie-samesite',
  'session-cookie-secure',
  'session-cookie-max-age',
  'session-cookie-expires',
  'session-cookie-change-on-failure',
  'upstream-hash-by',
  'load-balance',
  'proxy-connect-timeout',
  'proxy-read-timeout',
  'proxy-send-timeout',
  'proxy-body-size',
  'backend-protocol',
  'proxy-next-upstream-tries',
  'proxy-http-version',
  'proxy-buffering',
  'proxy-request-buffering',
  'proxy-buffer-size',
  'ssl-redirect',
])

/** Whether an annotation is one of ingress-nginx that no pool has an equivalent of. */
export function isUnknown(annotation: string): boolean {
  return annotation.startsWith(PREFIX) && !KNOWN.has(annotation.slice(PREFIX.length))
}

/** The annotations of ingress-nginx for a pool. */
export class Annotations {
  readonly #annotations: ReadonlyMap<string, Statement>
  readonly #report: Report

  constructor(annotations: ReadonlyMap<string, Statement>, report: Report) {
    this.#annotations = annotations
    this.#report = report
  }

  fill(file: PoolFile, name: string): void {
    if (this.#text('affinity') === 'cookie') file.affinity = [this.#cookie(name)]
    const hash = this.#of('upstream-hash-by')
    if (hash !== undefined) this.#hash(hash, file)
    if (this.#text('load-balance') === 'ewma') {
      file.balance = 'random-two'
      this.#changed('load-balance', 'limpet counts requests in flight, and measures no response times')
    }
    const connect = durationIn(this.#text('proxy-connect-timeout') ?? '', 's')
    const response = durationIn(this.#text('proxy-read-timeout') ?? '', 's')
    if (connect !== undefined || response !== undefined)
      file.timeouts = {
        ...(connect !== undefined && { connect }),
        ...(response !== undefined && { response, tunnel: response }),
      }
    const size = sizeIn(this.#text('proxy-body-size') ?? '')
    if (size !== undefined && size !== '0B') file.bodyLimit = size
    const tries = integerIn(this.#text('proxy-next-upstream-tries'), 1, 100)
    if (tries !== undefined) file.maxAttempts = tries
    const protocol = this.#of('backend-protocol')
    if (
      protocol?.args[0]?.toUpperCase() === 'HTTPS' &&
      file.discovery !== undefined &&
      'kubernetes' in file.discovery
    ) {
      file.discovery.kubernetes.protocol = 'https'
      file.tls = { verify: false }
    } else if (protocol !== undefined && protocol.args[0]?.toUpperCase() !== 'HTTP')
      this.#report.lost(protocol, 'limpet forwards to HTTP backends', protocol.name)
    if (this.#text('ssl-redirect') === 'true') this.#lost('ssl-redirect', 'limpet sends no redirects')
  }

  #cookie(name: string): PolicyFile {
    const cookie: Extract<PolicyFile, { cookie: unknown }>['cookie'] = {
      name: this.#text('session-cookie-name') ?? 'INGRESSCOOKIE',
      maxLife: '0s',
    }
    const path = this.#text('session-cookie-path')
    if (path?.startsWith('/') === true) cookie.path = path
    const domain = this.#text('session-cookie-domain')
    if (domain !== undefined) cookie.domain = domain.replace(/^\./, '')
    const same = this.#text('session-cookie-samesite')?.toLowerCase()
    if (same === 'lax' || same === 'strict' || same === 'none') cookie.sameSite = same
    if (this.#text('session-cookie-secure') === 'true' || cookie.sameSite === 'none') cookie.secure = true
    const age = this.#text('session-cookie-max-age') ?? this.#text('session-cookie-expires') ?? '0'
    const life = durationIn(age, 's', MAX_LIFE_MS)
    if (life !== undefined && life !== '0s') Object.assign(cookie, { maxLife: life, persistent: true })
    if (this.#text('affinity-mode') === 'persistent') cookie.accept = [{ ingressNginx: { name } }]
    else this.#changed('affinity', 'values of the balanced mode name no backend, so each session moves once')
    return { cookie }
  }

  #hash(annotation: Statement, file: PoolFile): void {
    const hash = hashKey(annotation.args[0] ?? '')
    if (hash === undefined) {
      this.#report.lost(
        annotation,
        'limpet hashes the address, the path, or one field, parameter or cookie',
        annotation.name,
      )
      return
    }
    file.balance = hash === 'ip' ? { hash, ipv6Prefix: 128 } : { hash }
    this.#report.changed(annotation, MOVES_ONCE, annotation.name)
    if (hasQuery(annotation.args[0] ?? '')) this.#report.changed(annotation, WITHOUT_QUERY, annotation.name)
  }

  #of(key: string): Statement | undefined {
    return this.#annotations.get(`${PREFIX}${key}`)
  }

  #text(key: string): string | undefined {
    return this.#of(key)?.args[0]
  }

  #changed(key: string, why: string): void {
    const annotation = this.#of(key)
    if (annotation !== undefined) this.#report.changed(annotation, why, annotation.name)
  }

  #lost(key: string, why: string): void {
    const annotation = this.#of(key)
    if (annotation !== undefined) this.#report.lost(annotation, why, annotation.name)
  }
}

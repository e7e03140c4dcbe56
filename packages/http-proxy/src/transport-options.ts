import {
  boolean,
  duration,
  type OptionKind,
  type OptionsOf,
  optionTable,
  parsed,
  type ParsedOptions,
  table,
  text,
} from '@limpet/core/options'
import { CERTIFICATES_TAKE, checkCertificates } from './backend/certificates.ts'
import { Deadlines } from './exchange/deadlines.ts'

/** Limits of time on the way to a backend. */
const TIMEOUT_OPTIONS = optionTable({
  /** Until a backend has accepted the connection (and TLS is agreed); then the next is tried. 0: never. @default '5s' */
  connect: duration({ default: '5s' }),
  /** From the last progress of the request until the head of the response. 0: never. @default '60s' */
  response: duration({ default: '60s' }),
  /**
   * From the first attempt until the head of the response, all attempts and the upload together; then 504.
   * 0: as long as they take. @default 0
   */
  total: duration({ default: 0 }),
  /** Between two pieces of a response's body. 0: never, as streams of events need. @default 0 */
  idle: duration({ default: 0 }),
  /** Between two pieces of a WebSocket's traffic, either way. 0: never. @default '1h' */
  tunnel: duration({ default: '1h' }),
})

export interface TimeoutOptions extends OptionsOf<typeof TIMEOUT_OPTIONS> {}

/** TLS to `https:` backends. */
export const TLS_OPTIONS = optionTable({
  /** Certificates to trust instead of Node's, in PEM: at least one in each text. */
  ca: parsed<Certificates, string | Buffer | (string | Buffer)[] | undefined>(
    CERTIFICATES_TAKE,
    parseCertificates,
    { type: 'string', minLength: 1 },
  ),
  /** The name that the certificate must have. @default the host of the backend's url */
  servername: text({ takes: 'a host name' }),
  /** Whether the certificate is verified. @default true */
  verify: boolean({ default: true }),
})

export interface TlsOptions extends OptionsOf<typeof TLS_OPTIONS> {}

type Certificates = string | Buffer | readonly (string | Buffer)[]

const TIMEOUTS: OptionKind<TimeoutOptions, ParsedOptions<typeof TIMEOUT_OPTIONS.options>, false> = table(
  TIMEOUT_OPTIONS,
  {},
)
const TLS: OptionKind<TlsOptions, ParsedOptions<typeof TLS_OPTIONS.options>, false> = table(TLS_OPTIONS, {})

/** How a proxy connects to its backends. */
export const TRANSPORT_OPTIONS = optionTable({
  /** Limits of time on the way to a backend. */
  timeouts: TIMEOUTS,
  /** TLS to `https:` backends. */
  tls: TLS,
})

export interface TransportOptions extends OptionsOf<typeof TRANSPORT_OPTIONS> {}

/** The same, complete and checked. Durations in milliseconds; 0: never. */
export interface Transport {
  readonly connectTimeoutMs: number
  readonly responseTimeoutMs: number
  /** Those of `responseTimeoutMs`, of all requests. */
  readonly responseDeadlines: Deadlines
  readonly totalTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly tunnelTimeoutMs: number
  readonly ca: string | Buffer | (string | Buffer)[] | undefined
  readonly servername: string | undefined
  readonly verify: boolean
}

/** @throws OptionError with every problem */
export function parseTransport(options: TransportOptions): Transport {
  return transportOf(TRANSPORT_OPTIONS.parse('', options))
}

/** Of checked options. */
export function transportOf({ timeouts, tls }: ParsedOptions<typeof TRANSPORT_OPTIONS.options>): Transport {
  return {
    connectTimeoutMs: timeouts.connect,
    responseTimeoutMs: timeouts.response,
    responseDeadlines: new Deadlines(timeouts.response),
    totalTimeoutMs: timeouts.total,
    idleTimeoutMs: timeouts.idle,
    tunnelTimeoutMs: timeouts.tunnel,
    ...tls,
  }
}

function parseCertificates(path: string, ca: unknown): string | Buffer | (string | Buffer)[] | undefined {
  if (ca === undefined) return undefined
  checkCertificates(path, ca)
  return Array.isArray(ca) ? [...(ca as readonly (string | Buffer)[])] : (ca as string | Buffer)
}

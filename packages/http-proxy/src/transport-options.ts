import { type Duration, durationMs, OptionError, optionBoolean, optionObject } from '@limpet/core'
import { checkCertificates } from './backend/certificates.ts'

/** How backends are spoken to. */
export interface TransportOptions {
  readonly timeouts?: {
    /** Until a backend has accepted the connection (and TLS is agreed); then the next is tried. 0: never. @default '5s' */
    readonly connect?: Duration
    /** From the last sign of the request's progress until the head of the answer. 0: never. @default '60s' */
    readonly response?: Duration
    /**
     * From the first attempt until the head of the response, all attempts and the upload together; then 504.
     * 0: as long as they take. @default 0
     */
    readonly total?: Duration
    /** Between two pieces of an answer's body. 0: never, as streams of events need. @default 0 */
    readonly idle?: Duration
    /** Between two pieces of a WebSocket's traffic, either way. 0: never. @default '1h' */
    readonly tunnel?: Duration
  }
  /** For `https:` backends. */
  readonly tls?: {
    /** Certificates to trust instead of Node's, in PEM: at least one in each text. */
    readonly ca?: string | Buffer | readonly (string | Buffer)[]
    /** The name that the certificate must have. @default the host of the backend's url */
    readonly servername?: string
    /** Whether the certificate is verified. @default true */
    readonly verify?: boolean
  }
}

/** The same, complete and checked. Durations in milliseconds; 0: never. */
export interface Transport {
  readonly connectTimeoutMs: number
  readonly responseTimeoutMs: number
  readonly totalTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly tunnelTimeoutMs: number
  readonly ca: string | Buffer | (string | Buffer)[] | undefined
  readonly servername: string | undefined
  readonly verify: boolean
}

export const TRANSPORT_OPTION_KEYS = [
  'timeouts',
  'tls',
] as const satisfies readonly (keyof TransportOptions)[]

/** @throws OptionError naming the option, what it got and what it takes. */
export function parseTransport({ timeouts = {}, tls = {} }: TransportOptions): Transport {
  optionObject('timeouts', timeouts, ['connect', 'response', 'total', 'idle', 'tunnel'])
  optionObject('tls', tls, ['ca', 'servername', 'verify'])
  const { ca, servername } = tls
  if (servername !== undefined && (typeof servername !== 'string' || servername === '')) {
    throw new OptionError('tls.servername', servername, 'a host name')
  }
  if (ca !== undefined) checkCertificates('tls.ca', ca)
  return {
    connectTimeoutMs: durationMs('timeouts.connect', timeouts.connect, '5s'),
    responseTimeoutMs: durationMs('timeouts.response', timeouts.response, '60s'),
    totalTimeoutMs: durationMs('timeouts.total', timeouts.total, 0),
    idleTimeoutMs: durationMs('timeouts.idle', timeouts.idle, 0),
    tunnelTimeoutMs: durationMs('timeouts.tunnel', timeouts.tunnel, '1h'),
    ca: ca === undefined || typeof ca === 'string' || Buffer.isBuffer(ca) ? ca : [...ca],
    servername,
    verify: optionBoolean('tls.verify', tls.verify, true),
  }
}

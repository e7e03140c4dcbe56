import {
  type Affinity,
  AFFINITY_OPTION_KEYS,
  type AffinityOptions,
  createAffinity,
  type Duration,
  durationMs,
  OptionError,
  optionBoolean,
  optionInteger,
  optionObject,
} from '@limpet/core'

/** How backends are spoken to. */
export interface TransportOptions {
  readonly timeouts?: {
    /** Until a backend has accepted the connection (and TLS is agreed); then the next is tried. 0: never. @default '5s' */
    readonly connect?: Duration
    /** From the request until the head of the answer. 0: never. @default '60s' */
    readonly response?: Duration
    /** Between two pieces of an answer's body. 0: never, as streams of events need. @default 0 */
    readonly idle?: Duration
  }
  /** For `https:` backends. */
  readonly tls?: {
    /** Certificates to trust instead of Node's, in PEM. */
    readonly ca?: string | Buffer | readonly (string | Buffer)[]
    /** The name that the certificate must have. @default the host of the backend's url */
    readonly servername?: string
    /** Whether the certificate is verified. @default true */
    readonly verify?: boolean
  }
}

interface MountOptions extends TransportOptions {
  /** Mounts the routes under this path; backends see the whole path. @default '/' */
  readonly prefix?: string
  /** False: no routes; a handler of the app's own forwards with `reply.limpet()`. @default true */
  readonly routes?: boolean
  /** Most bytes that a request's body may have; above, 413. @default the app's own `bodyLimit` */
  readonly bodyLimit?: number
}

/** What `register` takes: an affinity that was made before, or the options to make one. */
export type LimpetOptions = MountOptions & (AffinityOptions | { readonly use: Affinity })

/** The same, complete and checked. */
export interface Limpet {
  readonly affinity: Affinity
  readonly prefix: string
  readonly routes: boolean
  readonly bodyLimit: number | undefined
  readonly transport: Transport
}

/** Durations in milliseconds; 0: never. */
export interface Transport {
  readonly connectTimeoutMs: number
  readonly responseTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly ca: string | Buffer | (string | Buffer)[] | undefined
  readonly servername: string | undefined
  readonly verify: boolean
}

const MOUNT_KEYS = ['prefix', 'routes', 'bodyLimit', 'timeouts', 'tls'] as const
/** Fastify's own register options, which it hands on to every plugin. */
const REGISTER_KEYS = ['logLevel', 'logSerializers'] as const

/** @throws OptionError naming the option, what it got and what it takes. */
export function parseLimpetOptions(options: LimpetOptions): Limpet {
  const keys = [...MOUNT_KEYS, ...REGISTER_KEYS, ...('use' in options ? ['use'] : AFFINITY_OPTION_KEYS)]
  optionObject('', options, keys)
  const { prefix = '' } = options
  if (typeof prefix !== 'string' || (prefix !== '' && !prefix.startsWith('/'))) {
    throw new OptionError('prefix', prefix, 'a path that begins with /')
  }
  return {
    affinity: 'use' in options ? checkAffinity(options.use) : createAffinity(affinityOptions(options)),
    prefix,
    routes: optionBoolean('routes', options.routes, true),
    bodyLimit:
      options.bodyLimit === undefined
        ? undefined
        : optionInteger('bodyLimit', options.bodyLimit, 0, 0, Number.MAX_SAFE_INTEGER),
    transport: parseTransport(options),
  }
}

/** Core refuses keys that it does not know. */
function affinityOptions(options: AffinityOptions): AffinityOptions {
  const others = new Set<string>([...MOUNT_KEYS, ...REGISTER_KEYS])
  const own = Object.entries(options).filter(([key]) => !others.has(key))
  return Object.fromEntries(own) as object as AffinityOptions
}

function checkAffinity(value: Affinity): Affinity {
  if (typeof value !== 'object' || value === null || typeof value.select !== 'function') {
    throw new OptionError('use', value, 'an affinity made with createAffinity()')
  }
  return value
}

function parseTransport({ timeouts = {}, tls = {} }: TransportOptions): Transport {
  optionObject('timeouts', timeouts, ['connect', 'response', 'idle'])
  optionObject('tls', tls, ['ca', 'servername', 'verify'])
  const { ca, servername } = tls
  if (servername !== undefined && (typeof servername !== 'string' || servername === '')) {
    throw new OptionError('tls.servername', servername, 'a host name')
  }
  for (const pem of ca === undefined ? [] : [ca].flat()) {
    if (typeof pem !== 'string' && !Buffer.isBuffer(pem))
      throw new OptionError('tls.ca', pem, 'PEM text, or a list of it')
  }
  return {
    connectTimeoutMs: durationMs('timeouts.connect', timeouts.connect, '5s'),
    responseTimeoutMs: durationMs('timeouts.response', timeouts.response, '60s'),
    idleTimeoutMs: durationMs('timeouts.idle', timeouts.idle, 0),
    ca: ca === undefined || typeof ca === 'string' || Buffer.isBuffer(ca) ? ca : [...ca],
    servername,
    verify: optionBoolean('tls.verify', tls.verify, true),
  }
}

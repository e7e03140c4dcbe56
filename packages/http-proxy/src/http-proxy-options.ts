import {
  type Affinity,
  AFFINITY_OPTION_KEYS,
  type AffinityOptions,
  type BackendOptions,
  createAffinity,
  type DiscoveryOptions,
  type DiscoverySource,
  type HeaderEditOptions,
  type HeaderEdits,
  type HealthOptions,
  type HealthSettings,
  isDiscoverySource,
  lookupSource,
  OptionError,
  optionInteger,
  optionObject,
  parseDiscovery,
  parseHeaderEdits,
  parseHealth,
} from '@limpet/core'
import { dnsLookup } from './backend/dns-lookup.ts'
import { type Logger, parseLogger } from './logging/logger.ts'
import {
  parseTransport,
  type Transport,
  TRANSPORT_OPTION_KEYS,
  type TransportOptions,
} from './transport-options.ts'

/** The options of every adapter: an existing affinity, or the options to make one; and those of connections to backends. */
export type HttpProxyOptions = TransportOptions & {
  /** Most bytes that a request's body may have; above, 413. @default Infinity */
  readonly bodyLimit?: number
  /**
   * Header fields to set and to remove in every request, after the edits of the application and whatever the client
   * nominates in `Connection`. Affinity reads the edited fields. @default absent: none are
   */
  readonly requestHeaders?: HeaderEditOptions
  /**
   * Told of each change of the pool in one line: a backend down or up, a drain, no backend left, discovery failing.
   * Any object with `info`, `warn` and `error`: pino, winston, the console. `false`: none. @default the framework's own, else warnings on the console
   */
  readonly logger?: Logger | false
  /** How backends are asked whether they are well. @default absent: they are not */
  readonly health?: HealthOptions
  /** Backends that are found by their name or by another source, beside the configured ones or instead of them. @default absent: none are */
  readonly discovery?: DiscoveryOptions | DiscoverySource
} & (
    | AffinityOptions
    | (Omit<AffinityOptions, 'backends'> & {
        readonly backends?: readonly BackendOptions[]
        readonly discovery: DiscoveryOptions | DiscoverySource
      })
    | { readonly use: Affinity }
  )

/** The same, complete and checked. */
export interface ParsedHttpProxyOptions {
  readonly affinity: Affinity
  readonly transport: Transport
  readonly bodyLimit: number | undefined
  readonly requestHeaders: HeaderEdits | undefined
  readonly logger: Logger | false | undefined
  readonly health: HealthSettings | undefined
  readonly discovery: DiscoverySource | undefined
}

const OWN_KEYS: readonly string[] = [
  ...TRANSPORT_OPTION_KEYS,
  'bodyLimit',
  'requestHeaders',
  'logger',
  'health',
  'discovery',
]

/**
 * @param adapterKeys options that the adapter checks itself
 * @throws OptionError naming the option, what it got and what it takes
 */
export function parseHttpProxyOptions(
  options: HttpProxyOptions,
  adapterKeys: readonly string[] = [],
): ParsedHttpProxyOptions {
  const others = new Set([...OWN_KEYS, ...adapterKeys])
  const isMade = typeof options === 'object' && options !== null && 'use' in options
  optionObject('', options, [...others, ...(isMade ? ['use'] : AFFINITY_OPTION_KEYS)])
  const { bodyLimit } = options
  return {
    logger: parseLogger('logger', options.logger),
    health: parseHealth('health', options.health),
    discovery: discoverySource(options.discovery),
    affinity:
      'use' in options ? checkAffinity(options.use) : createAffinity(affinityOptions(options, others)),
    transport: parseTransport(options),
    requestHeaders: parseHeaderEdits('requestHeaders', options.requestHeaders),
    bodyLimit:
      bodyLimit === undefined || bodyLimit === Infinity
        ? bodyLimit
        : optionInteger('bodyLimit', bodyLimit, 0, 0, Number.MAX_SAFE_INTEGER),
  }
}

function discoverySource(value: unknown): DiscoverySource | undefined {
  if (isDiscoverySource(value)) return value
  const settings = parseDiscovery('discovery', value)
  return settings === undefined ? undefined : lookupSource(settings, () => dnsLookup(settings))
}

/** Core refuses keys that it does not know. Backends that are found by name need not be configured. */
function affinityOptions(options: HttpProxyOptions, others: ReadonlySet<string>): AffinityOptions {
  const given = Object.entries(options).filter(([key]) => !others.has(key))
  const { backends, ...rest } = Object.fromEntries(given) as object as AffinityOptions
  return { ...rest, backends: backends ?? (options.discovery === undefined ? backends : []) }
}

function checkAffinity(value: Affinity): Affinity {
  if (typeof value !== 'object' || value === null || typeof value.select !== 'function') {
    throw new OptionError('use', value, 'an affinity made with createAffinity()')
  }
  return value
}

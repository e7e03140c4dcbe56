import {
  type Affinity,
  type AffinityOptions,
  type BackendOptions,
  createAffinity,
  type DiscoveryOptions,
  type DiscoverySource,
  OptionError,
} from '@limpet/core'
import {
  AFFINITY_OPTION_KEYS,
  type HeaderEdits,
  type HealthSettings,
  isDiscoverySource,
  lookupSource,
  parseDiscovery,
} from '@limpet/core/adapter'
import {
  attempt,
  codeOnly,
  HEADER_EDITS,
  HEALTH,
  isRecord,
  optionInteger,
  type OptionKind,
  type OptionEntries,
  optionObject,
  type OptionsOf,
  type OptionTable,
  optionTable,
  parsed,
  type ParsedOptions,
  throwAll,
  unknownKeys,
} from '@limpet/core/options'
import { dnsLookup } from './backend/dns-lookup.ts'
import { type Logger, parseLogger } from './logging/logger.ts'
import { type Transport, TRANSPORT_OPTIONS, type TransportOptions, transportOf } from './transport-options.ts'

const BODY_LIMIT = 'a whole number of bytes, or Infinity'

/** Backends that are found: by their name, or by a source. */
const DISCOVERY: OptionKind<DiscoveryOptions | DiscoverySource, DiscoverySource | undefined, false> = parsed(
  'an object with dns, or a source with name and subscribe',
  discoverySource,
)

/** The options of every adapter beside those of the affinity. */
export const HTTP_PROXY_OPTIONS = optionTable({
  ...TRANSPORT_OPTIONS.options,
  /** Most bytes that a request's body may have; above, 413. @default Infinity */
  bodyLimit: codeOnly(parsed<number, number | undefined>(BODY_LIMIT, parseBodyLimit)),
  /**
   * Header fields to set and to remove in every request, after the edits of the application and whatever the client
   * nominates in `Connection`. Affinity reads the edited fields. @default absent: none are
   */
  requestHeaders: HEADER_EDITS,
  /**
   * Told of each change of the pool in one line: a backend down or up, a drain, no backend left, discovery failing.
   * Any object with `info`, `warn` and `error`: pino, winston, the console. `false`: none. @default the framework's own, else warnings on the console
   */
  logger: codeOnly(
    parsed<Logger | false, Logger | false | undefined>(
      'an object with info, warn and error, or false',
      parseLogger,
    ),
  ),
  /** How backends are checked. @default absent: they are not */
  health: HEALTH,
  /** Backends that are found by their name or by another source, beside the configured ones or instead of them. @default absent: none are */
  discovery: DISCOVERY,
})

/** The options of every adapter: an existing affinity, or the options to make one; and those of connections to backends. */
export type HttpProxyOptions = OptionsOf<typeof HTTP_PROXY_OPTIONS> &
  // Named once more: declarations of a table have no prose for options that are spread into it.
  TransportOptions &
  (
    | AffinityOptions
    | (Omit<AffinityOptions, 'backends'> & {
        /** The configured backends, beside those that are discovered. @default absent: none are */
        readonly backends?: readonly BackendOptions[]
        /** Backends that are found by their name or by another source. */
        readonly discovery: DiscoveryOptions | DiscoverySource
      })
    | {
        /** An affinity that exists already, in place of the options to make one. */
        readonly use: Affinity
      }
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

/**
 * @param adapterOptions the table of the adapter's own options @default an empty one
 * @returns the checked options, the adapter's own as `own`
 * @throws OptionError with every problem
 */
export function parseHttpProxyOptions<T extends OptionEntries = {}>(
  options: HttpProxyOptions,
  adapterOptions?: OptionTable<T>,
): ParsedHttpProxyOptions & { readonly own: ParsedOptions<T> } {
  const ownKeys = adapterOptions?.keys ?? []
  const ofAffinity: readonly string[] = isRecord(options) && 'use' in options ? ['use'] : AFFINITY_OPTION_KEYS
  const known = [...HTTP_PROXY_OPTIONS.keys, ...ownKeys, ...ofAffinity]
  if (!isRecord(options)) optionObject('', options, known)
  const errors: OptionError[] = [...unknownKeys('', options, known)]
  const { timeouts, tls, ...shared } = HTTP_PROXY_OPTIONS.read(
    '',
    picked(options, HTTP_PROXY_OPTIONS.keys),
    errors,
  )
  const affinity = attempt(
    () =>
      'use' in options
        ? checkAffinity(options.use)
        : createAffinity(affinityOptions(picked(options, ofAffinity), options.discovery !== undefined)),
    errors,
  )
  const own = adapterOptions?.read('', picked(options, ownKeys), errors) ?? ({} as ParsedOptions<T>)
  throwAll(errors)
  // Without an error there is one.
  return { ...shared, own, affinity: affinity as Affinity, transport: transportOf({ timeouts, tls }) }
}

function picked(options: object, keys: readonly string[]): object {
  return Object.fromEntries(Object.entries(options).filter(([key]) => keys.includes(key)))
}

/** Backends that are found by name need not be configured. */
function affinityOptions(given: object, isDiscovering: boolean): AffinityOptions {
  const { backends, ...rest } = given as AffinityOptions
  return { ...rest, backends: backends ?? (isDiscovering ? [] : backends) }
}

function checkAffinity(value: Affinity): Affinity {
  if (typeof value !== 'object' || value === null || typeof value.select !== 'function') {
    throw new OptionError('use', value, 'an affinity made with createAffinity()')
  }
  return value
}

function discoverySource(path: string, value: unknown): DiscoverySource | undefined {
  if (isDiscoverySource(value)) return value
  const settings = parseDiscovery(path, value)
  return settings === undefined ? undefined : lookupSource(settings, () => dnsLookup(settings))
}

function parseBodyLimit(path: string, value: unknown): number | undefined {
  if (value === undefined || value === Infinity) return value
  return optionInteger(path, value, 0, 0, Number.MAX_SAFE_INTEGER)
}

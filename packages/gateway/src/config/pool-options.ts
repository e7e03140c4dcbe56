import type { DiscoverySource } from '@limpet/core'
import type { PoolConfig } from './config.ts'
import { headerPolicy } from '../serving/header-policy.ts'
import type { PoolFile } from './schema.ts'

/** The part of a file that describes the service whose pods are a pool's backends. */
export type KubernetesFile = Extract<PoolFile['discovery'], { kubernetes: unknown }>['kubernetes']

/** The parts of a file that all its pools share. */
export interface PoolContext {
  readonly secrets: readonly string[]
  readonly trustProxy: readonly string[]
  /** Resolves a reference to a secret or a file; collects a problem when it fails. @param path of the option, in the pool */
  readonly read: (path: string, text: string, how: 'text' | 'file') => string
  /** The source of `discovery.kubernetes`; where there is none, that is noted. */
  readonly kubernetes: (options: KubernetesFile) => DiscoverySource
}

/**
 * The options of an adapter for a pool of a file. A pool without `affinity` has none. In the packages, the default is
 * the cookie.
 */
export function poolOptions(
  name: string,
  file: PoolFile,
  { secrets, trustProxy, read, kubernetes }: PoolContext,
): PoolConfig['options'] {
  const { responseHeaders, bodyLimit, tls, affinity = [], balance, discovery, ...rest } = file
  const edits = responseHeaders === undefined ? [] : [headerPolicy(responseHeaders)]
  const seeded =
    typeof balance === 'object' && balance.seed !== undefined
      ? { ...balance, seed: read('balance.seed', balance.seed, 'text') }
      : balance
  return {
    ...rest,
    name,
    secrets,
    trustProxy,
    affinity: [...affinity.map((policy, index) => withSecrets(policy, index, read)), ...edits],
    ...(seeded !== undefined && { balance: seeded }),
    ...(discovery !== undefined && {
      discovery: 'kubernetes' in discovery ? kubernetes(discovery.kubernetes) : discovery,
    }),
    ...(bodyLimit !== undefined && { bodyLimit: bytes(bodyLimit) }),
    ...(tls !== undefined && {
      tls: { ...tls, ...(tls.ca !== undefined && { ca: read('tls.ca', tls.ca, 'file') }) },
    }),
    // The schema has looked at each of them, and says the same in its own words.
  } as object as PoolConfig['options']
}

type PolicyFile = NonNullable<PoolFile['affinity']>[number]

/** The secrets of other load balancers may be references, too. */
function withSecrets(policy: PolicyFile, index: number, read: PoolContext['read']): PolicyFile {
  if (!('cookie' in policy) || policy.cookie.accept === undefined) return policy
  const path = `affinity[${index}].cookie.accept`
  const accept = policy.cookie.accept.map((format, at) => {
    if (typeof format !== 'object') return format
    if ('haproxy' in format)
      return { haproxy: { key: read(`${path}[${at}].haproxy.key`, format.haproxy.key, 'text') } }
    if ('caddy' in format)
      return { caddy: { secret: read(`${path}[${at}].caddy.secret`, format.caddy.secret, 'text') } }
    return format
  })
  return { cookie: { ...policy.cookie, accept } }
}

const UNITS: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }

/** The bytes of a number, or of a text as `16KiB`. */
export function bytes(value: number | string): number {
  if (typeof value === 'number') return value
  const [, count, unit = ''] = /^(\d+)(\w+)$/.exec(value) ?? []
  return Number(count) * (UNITS[unit] ?? Number.NaN)
}

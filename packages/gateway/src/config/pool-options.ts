import type { DiscoverySource } from '@limpet/core'
import type { KubernetesOptions } from '@limpet/kubernetes'
import type { PoolConfig } from './config.ts'
import { bytesOf } from './file-kinds.ts'
import type { PoolFile } from './pool-file.ts'

/** The parts of a file that all its pools share. */
export interface PoolContext {
  readonly secrets: readonly string[]
  readonly trustProxy: readonly string[]
  /** Resolves a reference to a secret or a file; collects a problem when it fails. @param path of the option, in the pool */
  readonly read: (path: string, text: string, how: 'text' | 'file') => string
  /** The source of `discovery.kubernetes`; where there is none, that is noted. */
  readonly kubernetes: (options: KubernetesOptions) => DiscoverySource
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
  const { bodyLimit, tls, affinity = [], balance, discovery, ...rest } = file
  const seeded =
    typeof balance === 'object' && balance.seed !== undefined
      ? { ...balance, seed: read('balance.seed', balance.seed, 'text') }
      : balance
  return {
    ...rest,
    name,
    secrets,
    trustProxy,
    affinity: affinity.map((policy, index) => withSecrets(policy, index, read)),
    ...(seeded !== undefined && { balance: seeded }),
    ...(discovery !== undefined && {
      discovery:
        'kubernetes' in discovery ? kubernetes(discovery.kubernetes as KubernetesOptions) : discovery,
    }),
    ...(bodyLimit !== undefined && { bodyLimit: bytesOf(bodyLimit) }),
    ...(tls !== undefined && { tls: withCertificates(tls, read) }),
    // The tables have checked each of them.
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

/** Without certificates that cannot be read. */
function withCertificates(
  { ca, ...rest }: NonNullable<PoolFile['tls']>,
  read: PoolContext['read'],
): NonNullable<PoolFile['tls']> {
  const certificates = ca === undefined ? '' : read('tls.ca', ca, 'file')
  return certificates === '' ? rest : { ...rest, ca: certificates }
}

import type { AffinityPolicy } from '@limpet/core'
import {
  AFFINITY_OPTIONS,
  BACKENDS,
  BALANCER_NAMES,
  either,
  HASH_OPTIONS,
  type OptionsOf,
  optionTable,
  RESPONSE_EDITS,
  table,
  withKinds,
  word,
} from '@limpet/core/options'
import { HTTP_PROXY_OPTIONS, TLS_OPTIONS } from '@limpet/http-proxy/transport'
import { DISCOVERY } from './discovery-options.ts'
import { FILE, REFERENCE, size } from './file-kinds.ts'
import type { Written } from './written.ts'

const HASH_FILE_OPTIONS = withKinds(HASH_OPTIONS, {
  /** The key of the hash, 32 bytes or more: a text, `env:NAME` or `file:PATH`. @default the oldest of secrets; without any, a public key */
  seed: REFERENCE,
})

const TLS_FILE_OPTIONS = withKinds(TLS_OPTIONS, {
  /** A file with the certificates to trust instead of Node's, in PEM. @default Node's */
  ca: FILE,
})

/** Options that every adapter has beside those of core and http-proxy, and that a file may give. */
export const ADAPTER_OPTIONS = optionTable({
  /** Header fields to set and to remove in every response of a backend. Not those of the connection, and not `Content-Length`. @default absent: none are */
  responseHeaders: RESPONSE_EDITS,
})

/** A pool of a file: the options of the packages, and what a file says in another way. */
export const POOL_OPTIONS = optionTable({
  ...AFFINITY_OPTIONS.options,
  ...HTTP_PROXY_OPTIONS.options,
  /** The servers behind the gateway. May be absent where `discovery` finds them. */
  backends: BACKENDS,
  /** How a session is recognised: the first policy that names a usable backend decides. @default absent: sessions are not kept */
  affinity: AFFINITY_OPTIONS.options.affinity,
  /** How a session that has no backend gets one. @default round-robin */
  balance: either({
    plain: word(BALANCER_NAMES, { takes: `one of ${BALANCER_NAMES.join(', ')}, or an object with hash` }),
    object: table(HASH_FILE_OPTIONS),
  }),
  /** TLS to `https:` backends. */
  tls: table(TLS_FILE_OPTIONS),
  /** Most bytes of a request's body; above it, 413. @default absent: any number */
  bodyLimit: size(),
  ...ADAPTER_OPTIONS.options,
  /** Backends that are found by their name or in Kubernetes, beside the configured ones or instead of them. @default absent: none are */
  discovery: DISCOVERY,
})

/** Only code can give these, or all pools of a file share them. */
type Elsewhere = 'name' | 'secrets' | 'trustProxy' | 'now' | 'logger' | 'affinity'
type Given = OptionsOf<typeof POOL_OPTIONS>

/** A pool as it stands in a file. */
export type PoolFile = Written<Omit<Given, Elsewhere>> & {
  affinity?: Written<Exclude<NonNullable<Given['affinity']>[number], AffinityPolicy>>[]
}

import { OptionError } from '@limpet/core'
import {
  duration,
  integer,
  list,
  needed,
  optionTable,
  type ParsedOptions,
  table,
  text,
} from '@limpet/core/options'
import { FILE, REFERENCE } from './file-kinds.ts'

const URLS = list(REFERENCE, { takes: 'a list of urls, one at least', min: 1 })

/** Sentinels, which are asked for the address of the primary. */
const SENTINEL_FILE_OPTIONS = optionTable({
  /** The name under which the Sentinels know the primary. */
  name: needed(text({ takes: 'the name of a primary' })),
  /** Addresses of the Sentinels, each as `redis://host:port` or a reference to it. */
  nodes: needed(URLS),
})

/** Certificates for `rediss://`. */
const STORE_TLS_OPTIONS = optionTable({
  /** File of the authorities that are trusted, in PEM, in place of Node's. */
  ca: FILE,
  /** File of the certificate that the gateway presents, in PEM. */
  cert: FILE,
  /** File of its private key, in PEM. */
  key: FILE,
  /** Name that the certificate of the server has to have. Without it, the host of the address. */
  servername: text({ takes: 'the name of a host' }),
})

/** Redis or Valkey, by the package @limpet/redis. */
const REDIS_OPTIONS = optionTable(
  {
    /** Its address, as `redis://host:port`, or a reference to it, as `env:REDIS_URL`. `rediss://` for TLS. This, `cluster` or `sentinel`. */
    url: REFERENCE,
    /** Addresses of several nodes of a Cluster, which are tried in turn. */
    cluster: URLS,
    /** Sentinels, which are asked for the address of the primary. */
    sentinel: table(SENTINEL_FILE_OPTIONS),
    /** User of its access list. Without it, that of the address. */
    username: REFERENCE,
    /** Its password, as `env:REDIS_PASSWORD`. Without it, that of the address. */
    password: REFERENCE,
    /** Certificates for `rediss://`. */
    tls: table(STORE_TLS_OPTIONS),
    /** First part of all keys. @default limpet */
    prefix: text({
      pattern: /^[\w.:-]{1,64}$/,
      takes: '1 to 64 of the characters A-Z a-z 0-9 _ - . :',
      default: 'limpet',
    }),
    /** Time of a lookup; then the session counts as unknown. @default 50ms */
    deadline: duration({ min: 1, default: '50ms' }),
    /** Sessions that each process remembers, at 40 bytes each. @default 100000 */
    maxEntries: integer({ min: 1, max: 16_000_000, default: 100_000 }),
  },
  function* ({ url, cluster, sentinel }, at) {
    if ([url, cluster, sentinel].filter(one => one !== undefined).length !== 1)
      yield new OptionError(at(), undefined, '', 'needs one of url, cluster and sentinel')
  },
)

/** The state that several gateways share. */
const STORE_OPTIONS = optionTable({
  /** Redis or Valkey. The package @limpet/redis has to be installed beside limpet. */
  redis: needed(table(REDIS_OPTIONS)),
})

export const STORE = table(STORE_OPTIONS)

/** As the file has it, checked. */
export type StoreFile = ParsedOptions<typeof REDIS_OPTIONS.options>

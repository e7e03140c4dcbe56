import { OptionError } from '@limpet/core'
import {
  duration,
  needed,
  type OptionsOf,
  optionTable,
  parsed,
  type ParsedOptions,
  text,
  word,
} from '@limpet/core/options'

/** A label of RFC 1123, which stands in paths and selectors. */
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
/** IANA_SVC_NAME of Kubernetes, RFC 6335 §5.1. */
const PORT_NAME = /^(?=[a-z0-9-]{1,63}$)(?=.*[a-z])[a-z0-9]+(?:-[a-z0-9]+)*$/
const PORT = 'the name of a port, as http, or its number from 1 to 65535'
const MIN_TIMEOUT_MS = 1_000

/** A service whose pods are the backends. */
export const KUBERNETES_OPTIONS = optionTable(
  {
    /** The name of the Service. */
    service: needed(text({ pattern: LABEL, takes: 'the name of a Service, as shop' })),
    /** The namespace of the Service. @default the service account's, or the kubeconfig's */
    namespace: text({ pattern: LABEL, takes: 'a namespace, as default' }),
    /** The name of the Service's port, or the number of the pods' port. @default the only one */
    port: parsed<string | number, string | number | undefined>(PORT, parsePort, {
      anyOf: [
        { type: 'string', pattern: PORT_NAME.source },
        { type: 'integer', minimum: 1, maximum: 65_535 },
      ],
    }),
    /** The protocol of the pods. @default 'http' */
    protocol: word(['http', 'https'], { default: 'http' }),
    /** The addresses of a dual-stack service that count. @default 'IPv4' where the service has it */
    addressType: word(['IPv4', 'IPv6']),
    /** After a pod has begun to terminate, for this long it keeps its sessions; then they move. @default absent: as long as it serves */
    drainDeadline: duration(),
    /** The path of a kubeconfig file, outside of a cluster. @default absent: the pod's service account */
    kubeconfig: text({ takes: 'the path of a file' }),
    /** A context of the kubeconfig. @default the current one */
    context: text({ takes: 'the name of a context' }),
    /** Timeout of a list, and of the head of a watch. @default '10s' */
    requestTimeout: duration({ min: MIN_TIMEOUT_MS, default: '10s' }),
    /** How long the API server keeps one watch open; the next follows at once. @default '5m' */
    watchTimeout: duration({ min: MIN_TIMEOUT_MS, default: '5m' }),
  },
  function* ({ kubeconfig, context }, at) {
    if (context !== undefined && kubeconfig === undefined)
      yield new OptionError(at('context'), context, 'a context of kubeconfig, which is missing')
  },
)

export interface KubernetesOptions extends OptionsOf<typeof KUBERNETES_OPTIONS> {}

/** The same, complete and checked. Durations in milliseconds. */
export interface KubernetesSettings extends Omit<
  ParsedOptions<typeof KUBERNETES_OPTIONS.options>,
  'drainDeadline' | 'requestTimeout' | 'watchTimeout'
> {
  readonly drainDeadlineMs: number | undefined
  readonly requestTimeoutMs: number
  readonly watchTimeoutMs: number
}

/** @throws OptionError with every problem */
export function parseKubernetes(path: string, value: unknown): KubernetesSettings {
  const { drainDeadline, requestTimeout, watchTimeout, ...rest } = KUBERNETES_OPTIONS.parse(path, value)
  return {
    ...rest,
    drainDeadlineMs: drainDeadline,
    requestTimeoutMs: requestTimeout,
    watchTimeoutMs: watchTimeout,
  }
}

function parsePort(path: string, value: unknown): string | number | undefined {
  if (value === undefined) return undefined
  const isNumber = typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 65_536
  const isName = typeof value === 'string' && PORT_NAME.test(value)
  if (!isNumber && !isName) throw new OptionError(path, value, PORT)
  return value
}

import { type Duration, durationMs, OptionError, optionObject, optionOneOf } from '@limpet/core'

/** A service whose pods are the backends. */
export interface KubernetesOptions {
  /** The name of the Service. */
  readonly service: string
  /** @default the service account's, or the kubeconfig's */
  readonly namespace?: string
  /** The name of the Service's port, or the number of the pods' port. @default the only one */
  readonly port?: string | number
  /** How pods are spoken to. @default 'http' */
  readonly protocol?: 'http' | 'https'
  /** Which addresses of a dual-stack service count. @default 'IPv4' where the service has it */
  readonly addressType?: 'IPv4' | 'IPv6'
  /** After a pod has begun to terminate, for this long it keeps its sessions; then they move. @default absent: as long as it serves */
  readonly drainDeadline?: Duration
  /** The path of a kubeconfig file, outside of a cluster. @default absent: the pod's service account */
  readonly kubeconfig?: string
  /** A context of the kubeconfig. @default the current one */
  readonly context?: string
  /** For a list, and for the head of a watch. @default '10s' */
  readonly requestTimeout?: Duration
  /** How long the API server keeps one watch open; the next follows at once. @default '5m' */
  readonly watchTimeout?: Duration
}

/** The same, complete and checked. Durations in milliseconds. */
export interface KubernetesSettings {
  readonly service: string
  readonly namespace: string | undefined
  readonly port: string | number | undefined
  readonly protocol: 'http' | 'https'
  readonly addressType: 'IPv4' | 'IPv6' | undefined
  readonly drainDeadlineMs: number | undefined
  readonly kubeconfig: string | undefined
  readonly context: string | undefined
  readonly requestTimeoutMs: number
  readonly watchTimeoutMs: number
}

const KEYS: readonly string[] = [
  'service',
  'namespace',
  'port',
  'protocol',
  'addressType',
  'drainDeadline',
  'kubeconfig',
  'context',
  'requestTimeout',
  'watchTimeout',
] satisfies (keyof KubernetesOptions)[]

/** A label of RFC 1123, which stands in paths and selectors. */
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
/** IANA_SVC_NAME of Kubernetes, RFC 6335 §5.1. */
const PORT_NAME = /^(?=[a-z0-9-]{1,63}$)(?=.*[a-z])[a-z0-9]+(?:-[a-z0-9]+)*$/
const MIN_TIMEOUT_MS = 1_000

/** @throws OptionError naming the option, the value and the accepted values. */
export function parseKubernetes(path: string, value: unknown): KubernetesSettings {
  const at = (key: string): string => (path === '' ? key : `${path}.${key}`)
  const given = optionObject(path, value, KEYS)
  const label = (key: string, takes: string): string => {
    const name = given[key]
    if (typeof name !== 'string' || !LABEL.test(name)) throw new OptionError(at(key), name, takes)
    return name
  }
  const timeoutMs = (key: string, fallback: Duration): number => {
    const ms = durationMs(at(key), given[key], fallback)
    if (ms < MIN_TIMEOUT_MS) throw new OptionError(at(key), given[key], 'a duration of at least 1s')
    return ms
  }
  if (given['context'] !== undefined && given['kubeconfig'] === undefined)
    throw new OptionError(at('context'), given['context'], 'a context of kubeconfig, which is missing')
  return {
    service: label('service', 'the name of a Service, as shop'),
    namespace: given['namespace'] === undefined ? undefined : label('namespace', 'a namespace, as default'),
    port: parsePort(at('port'), given['port']),
    protocol: optionOneOf(at('protocol'), given['protocol'], 'http', ['http', 'https']),
    addressType: optionOneOf(at('addressType'), given['addressType'], undefined, ['IPv4', 'IPv6']),
    drainDeadlineMs:
      given['drainDeadline'] === undefined
        ? undefined
        : durationMs(at('drainDeadline'), given['drainDeadline'], 0),
    kubeconfig: optionText(at('kubeconfig'), given['kubeconfig'], 'the path of a file'),
    context: optionText(at('context'), given['context'], 'the name of a context'),
    requestTimeoutMs: timeoutMs('requestTimeout', '10s'),
    watchTimeoutMs: timeoutMs('watchTimeout', '5m'),
  }
}

function parsePort(path: string, value: unknown): string | number | undefined {
  if (value === undefined) return undefined
  const isNumber = typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 65_536
  const isName = typeof value === 'string' && PORT_NAME.test(value)
  if (!isNumber && !isName)
    throw new OptionError(path, value, 'the name of a port, as http, or its number from 1 to 65535')
  return value
}

function optionText(path: string, value: unknown, takes: string): string | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'string' || value === '') throw new OptionError(path, value, takes)
  return value
}

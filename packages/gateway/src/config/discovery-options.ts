import { type DiscoveryOptions, OptionError } from '@limpet/core'
import {
  attempt,
  DISCOVERY_OPTIONS,
  isRecord,
  type JsonSchema,
  kind,
  oneOf,
  type OptionKind,
  table,
} from '@limpet/core/options'
import type { KubernetesOptions } from '@limpet/kubernetes'
import { kubernetesOptions } from './kubernetes-discovery.ts'

/** The part of a file that says where a pool's backends are found. */
type DiscoveryFile = DiscoveryOptions | { readonly kubernetes: KubernetesOptions }

/** The options of a package that may not be installed: its own table checks them. */
const KUBERNETES = kind<KubernetesOptions, KubernetesOptions | undefined>({
  takes: 'the options of @limpet/kubernetes',
  read: (_path, value) => value as KubernetesOptions | undefined,
  readFile(path, value, errors) {
    const group = attempt(() => loaded(path), errors)
    return group === undefined ? undefined : table(group).readFile(path, value, errors)
  },
  schema: { $ref: '#/$defs/kubernetes' },
})

const BY_NAME = table(DISCOVERY_OPTIONS)
const BY_PACKAGE = oneOf({ kubernetes: KUBERNETES })

/** Backends that are found by their name, or by a package. */
export const DISCOVERY: OptionKind<DiscoveryFile, DiscoveryFile | undefined, false> = kind({
  takes: 'an object with dns, or with kubernetes',
  read: (_path, value) => value as DiscoveryFile | undefined,
  readFile: (path, value, errors) =>
    (isRecord(value) && 'kubernetes' in value ? BY_PACKAGE : BY_NAME).readFile(path, value, errors),
  schema: {
    anyOf: [BY_NAME.schema, BY_PACKAGE.schema].filter((schema): schema is JsonSchema => schema !== undefined),
  },
})

function loaded(path: string): ReturnType<typeof kubernetesOptions> {
  try {
    return kubernetesOptions()
  } catch (error) {
    throw new OptionError(path, {}, '', (error as Error).message)
  }
}

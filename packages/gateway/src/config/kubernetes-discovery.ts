import { createRequire } from 'node:module'
import type { DiscoverySource } from '@limpet/core'
import type * as Kubernetes from '@limpet/kubernetes'
import type * as Options from '@limpet/kubernetes/options'

const load = createRequire(import.meta.url)

/**
 * The source of `discovery.kubernetes`. Its package is optional, and is loaded only for a file that asks for it.
 * @throws Error that says how to install it, OptionError for a wrong option
 */
export function kubernetesSource(options: Kubernetes.KubernetesOptions): DiscoverySource {
  return (loaded('@limpet/kubernetes') as typeof Kubernetes).kubernetes(options)
}

/** The table of its options. @throws Error that says how to install the package */
export function kubernetesOptions(): typeof Options.KUBERNETES_OPTIONS {
  return (loaded('@limpet/kubernetes/options') as typeof Options).KUBERNETES_OPTIONS
}

function loaded(entry: string): unknown {
  try {
    return load(entry)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'MODULE_NOT_FOUND' && code !== 'ERR_MODULE_NOT_FOUND') throw error
    const hint =
      'needs the package @limpet/kubernetes; install it beside limpet: npm install @limpet/kubernetes'
    throw new Error(hint, { cause: error })
  }
}

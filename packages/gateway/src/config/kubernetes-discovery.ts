import { createRequire } from 'node:module'
import type { DiscoverySource } from '@limpet/core'
import type * as Kubernetes from '@limpet/kubernetes'

const load = createRequire(import.meta.url)

/**
 * The source of `discovery.kubernetes`. Its package is optional, and is loaded only for a file that asks for it.
 * @throws Error that says how to install it, OptionError for a wrong option
 */
export function kubernetesSource(options: Kubernetes.KubernetesOptions): DiscoverySource {
  return loaded().kubernetes(options)
}

function loaded(): typeof Kubernetes {
  try {
    return load('@limpet/kubernetes') as typeof Kubernetes
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'MODULE_NOT_FOUND' && code !== 'ERR_MODULE_NOT_FOUND') throw error
    const hint =
      'needs the package @limpet/kubernetes; install it beside limpet: npm install @limpet/kubernetes'
    throw new Error(hint, { cause: error })
  }
}

import type { DiscoverySource } from '@limpet/core'
import { inCluster } from './service-account.ts'
import { fromKubeconfig } from './kubeconfig.ts'
import { type KubernetesOptions, parseKubernetes } from './kubernetes-options.ts'
import { Pods } from './pods.ts'
import { watchSlices } from './slice-watch.ts'

/**
 * The pods of a Kubernetes service, for the `discovery` of an adapter. It lists and watches the service's EndpointSlices
 * (discovery.k8s.io/v1). A pod's id is its name. A pod that terminates and still serves drains; a pod that is not
 * ready keeps its place and serves no request (the conditions of KEP-1672).
 * @throws OptionError naming the option, the value and the accepted values
 */
export function kubernetes(options: KubernetesOptions): DiscoverySource {
  const settings = parseKubernetes('', options)
  const { service, namespace, kubeconfig, context } = settings
  const cluster = kubeconfig === undefined ? inCluster() : fromKubeconfig(kubeconfig, context)
  return {
    name: namespace === undefined ? service : `${namespace}/${service}`,
    subscribe(listener) {
      const pods = new Pods(settings)
      return watchSlices(cluster, settings, {
        changed(slices) {
          const { backends, problems } = pods.of(slices)
          listener.backends(backends)
          for (const problem of problems) listener.failed(new Error(problem))
        },
        failed: error => listener.failed(error),
      })
    },
  }
}

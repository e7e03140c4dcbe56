import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isIPv6 } from 'node:net'
import type { Cluster } from './cluster.ts'

const FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount'

/**
 * The cluster that this process is a pod of, as its service account. The kubelet exchanges the files; they are read
 * again before each request.
 * @param folder of `token`, `ca.crt` and `namespace`
 */
export function inCluster(folder = FOLDER, environment = process.env): Cluster {
  async function read(name: string): Promise<string> {
    const path = join(folder, name)
    try {
      return await readFile(path, 'utf8')
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      const hint = 'has the pod automountServiceAccountToken: false?'
      throw new Error(`the file ${path} cannot be read (${code ?? 'unknown'}); ${hint}`, { cause: error })
    }
  }
  return async () => {
    const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '443' } = environment
    if (host === '')
      throw new Error(
        'the environment has no KUBERNETES_SERVICE_HOST, so this is no pod; outside of a cluster give kubeconfig',
      )
    const [token, ca, namespace] = await Promise.all([read('token'), read('ca.crt'), read('namespace')])
    return {
      server: new URL(`https://${isIPv6(host) ? `[${host}]` : host}:${port}`),
      namespace: namespace.trim(),
      token: token.trim(),
      tls: { ca },
    }
  }
}

import { expect, it } from 'vitest'
import { kubernetes } from './kubernetes.ts'
import { type KubernetesOptions, parseKubernetes } from './kubernetes-options.ts'

it.each<[object, string]>([
  [{}, 'service'],
  [{ service: 'Shop' }, 'service'],
  [{ service: 'a/../b' }, 'service'],
  [{ service: 'x'.repeat(64) }, 'service'],
  [{ service: 'shop', namespace: 'a.b' }, 'namespace'],
  [{ service: 'shop', port: 0 }, 'port'],
  [{ service: 'shop', port: 65_536 }, 'port'],
  [{ service: 'shop', port: '80' }, 'port'],
  [{ service: 'shop', port: '-http' }, 'port'],
  [{ service: 'shop', protocol: 'ftp' }, 'protocol'],
  [{ service: 'shop', addressType: 'FQDN' }, 'addressType'],
  [{ service: 'shop', drainDeadline: 'soon' }, 'drainDeadline'],
  [{ service: 'shop', kubeconfig: '' }, 'kubeconfig'],
  [{ service: 'shop', kubeconfig: 'a', context: 7 }, 'context'],
  [{ service: 'shop', context: 'a' }, 'context'],
  [{ service: 'shop', requestTimeout: '10ms' }, 'requestTimeout'],
  [{ service: 'shop', watchTimeout: '999ms' }, 'watchTimeout'],
  [{ service: 'shop', servce: 'shop' }, 'servce'],
])('%j is refused', (options, option) => {
  expect(() => kubernetes(options as KubernetesOptions)).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_OPTION', option }) as Error,
  )
})

it('says which namespace and service it is of', () => {
  expect(kubernetes({ service: 'shop', namespace: 'web' }).name).toBe('web/shop')
  expect(kubernetes({ service: 'shop' }).name).toBe('shop')
})

it('has defaults, and paths of options for a file', () => {
  expect(parseKubernetes('', { service: 'shop' })).toEqual({
    service: 'shop',
    namespace: undefined,
    port: undefined,
    protocol: 'http',
    addressType: undefined,
    drainDeadlineMs: undefined,
    kubeconfig: undefined,
    context: undefined,
    requestTimeoutMs: 10_000,
    watchTimeoutMs: 300_000,
  })
  expect(() => parseKubernetes('discovery', { service: 7 })).toThrow('option discovery.service got 7')
})

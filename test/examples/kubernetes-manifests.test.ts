import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createHttpProxy } from '@limpet/http-proxy'
import { kubernetes } from '@limpet/kubernetes'
import { Deployment, type IDeployment } from 'kubernetes-models/apps/v1'
import { EndpointSlice } from 'kubernetes-models/discovery.k8s.io/v1'
import { type IPodDisruptionBudget, PodDisruptionBudget } from 'kubernetes-models/policy/v1'
import {
  type IRole,
  type IRoleBinding,
  Role,
  RoleBinding,
} from 'kubernetes-models/rbac.authorization.k8s.io/v1'
import {
  ConfigMap,
  type IConfigMap,
  type IService,
  type IServiceAccount,
  Service,
  ServiceAccount,
} from 'kubernetes-models/v1'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { ApiServer } from '../support/api-server.ts'
import { sliceOf } from '../support/endpoint-slice.ts'

/** The manifests of examples/kubernetes: by the schemas of Kubernetes, and beside each other and the code. */

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const FOLDER = join(ROOT, 'examples/kubernetes')

/** By the kind: what checks it, and where its type is. */
const KINDS = {
  ConfigMap: [ConfigMap, 'v1'],
  Deployment: [Deployment, 'apps/v1'],
  PodDisruptionBudget: [PodDisruptionBudget, 'policy/v1'],
  Role: [Role, 'rbac.authorization.k8s.io/v1'],
  RoleBinding: [RoleBinding, 'rbac.authorization.k8s.io/v1'],
  Service: [Service, 'v1'],
  ServiceAccount: [ServiceAccount, 'v1'],
} as const

interface Types {
  readonly ConfigMap: IConfigMap
  readonly Deployment: IDeployment
  readonly PodDisruptionBudget: IPodDisruptionBudget
  readonly Role: IRole
  readonly RoleBinding: IRoleBinding
  readonly Service: IService
  readonly ServiceAccount: IServiceAccount
}

interface Manifest {
  readonly apiVersion: string
  readonly kind: keyof typeof KINDS
  readonly metadata: { readonly name: string }
}

function manifestsOf(file: string): readonly Manifest[] {
  return parseAllDocuments(readFileSync(join(FOLDER, file), 'utf8')).map(
    document => document.toJS() as Manifest,
  )
}

const LIMPET = manifestsOf('limpet.yaml')
const SHOP = manifestsOf('shop.yaml')
const ALL = [...LIMPET, ...SHOP]

function only<const Kind extends keyof Types>(kind: Kind, manifests: readonly Manifest[]): Types[Kind] {
  const found = manifests.filter(manifest => manifest.kind === kind)
  expect(found).toHaveLength(1)
  return found[0] as object as Types[Kind]
}

describe('a manifest', () => {
  test.each(ALL.map(manifest => [`${manifest.kind} ${manifest.metadata.name}`, manifest] as const))(
    '%s is what its schema takes',
    (_name, manifest) => {
      const [Kind, apiVersion] = KINDS[manifest.kind]
      expect(manifest.apiVersion).toBe(apiVersion)
      new Kind(manifest as never).validate()
    },
  )

  test('has no field that Kubernetes does not know', () => {
    const folder = join(ROOT, 'test/node_modules/.cache/manifests')
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    const lines = ALL.map(({ kind, ...rest }, index) => {
      const from = `kubernetes-models/${rest.apiVersion}`
      const literal = JSON.stringify({ ...rest, kind }, null, 1)
      return `import type { I${kind} as I${index} } from '${from}'\nexport const m${index}: I${index} = ${literal}\n`
    })
    writeFileSync(join(folder, 'manifests.ts'), lines.join('\n'))
    const compilerOptions = { module: 'nodenext', strict: true, noEmit: true, skipLibCheck: true, types: [] }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }))
    execFileSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8' })
  })
})

test('the slices that the scripted API server sends are EndpointSlices', () => {
  const six = sliceOf('b', [{ name: 'x', address: 'fd00::1', terminating: true }], { addressType: 'IPv6' })
  for (const slice of [sliceOf('a', [{ name: 'x', address: '10.0.0.1' }]), six])
    new EndpointSlice(slice as never).validate()
})

describe.each([
  ['limpet', LIMPET],
  ['shop', SHOP],
])('of %s', (name, manifests) => {
  const deployment = only('Deployment', manifests)
  const { selector, template } = deployment.spec ?? {}
  const [container] = template?.spec?.containers ?? []

  test('selectors find the pods', () => {
    const service = only('Service', manifests)
    const budget = only('PodDisruptionBudget', manifests)
    expect([deployment, service, budget].map(({ metadata }) => metadata?.name)).toEqual([name, name, name])
    const { labels } = template?.metadata ?? {}
    for (const found of [selector?.matchLabels, service.spec?.selector, budget.spec?.selector?.matchLabels])
      expect(found).toEqual(labels)
  })

  test('ports are those of the container', () => {
    const names = container?.ports?.map(port => port.name)
    const { ports = [] } = only('Service', manifests).spec ?? {}
    expect(ports).not.toEqual([])
    for (const { targetPort } of ports) expect(names).toContain(targetPort)
    expect(names).toContain(container?.readinessProbe?.httpGet?.port)
  })
})

describe('of the gateway', () => {
  const { spec: pod } = only('Deployment', LIMPET).spec?.template ?? {}
  const [container] = pod?.containers ?? []
  const text = only('ConfigMap', LIMPET).data?.['limpet.yaml'] ?? ''
  const file = parse(text) as {
    listen: string
    preStop: string
    shutdownGrace: string
    admin: { listen: string }
    pools: { shop: { discovery: { kubernetes: { service: string; port: string; drainDeadline: string } } } }
  }
  const { service, port, drainDeadline } = file.pools.shop.discovery.kubernetes

  test('the Role allows what the code asks for, and nothing else', async () => {
    const api = await ApiServer.start()
    onTestFinished(() => api.close())
    api.set(sliceOf('a', []))
    const { close } = createHttpProxy({
      affinity: [],
      discovery: kubernetes({ service: 'shop', kubeconfig: api.kubeconfig }),
    })
    onTestFinished(close)
    await expect.poll(() => api.watches).toBe(1)
    const verbs = [...new Set(api.requests.map(({ what }) => what))]
    const [, group = '', , resource = ''] =
      /\/apis\/([^/]+)\/(.*)\/(\w+)$/.exec(api.requests[0]?.path ?? '') ?? []
    const { rules } = only('Role', LIMPET)
    expect(rules).toEqual([{ apiGroups: [group], resources: [resource], verbs }])
  })

  test('the service account has the Role, and the pod the account', () => {
    const { metadata: account } = only('ServiceAccount', LIMPET)
    const { roleRef, subjects } = only('RoleBinding', LIMPET)
    expect(roleRef).toMatchObject({ kind: 'Role', name: only('Role', LIMPET).metadata?.name })
    expect(subjects).toEqual([{ kind: 'ServiceAccount', name: account?.name }])
    expect(pod?.serviceAccountName).toBe(account?.name)
  })

  test('the file is good, and mounted where the command reads it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'limpet-manifests-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const path = join(folder, 'limpet.yaml')
    writeFileSync(path, text)
    const secret = 'a-secret-of-the-manifests-0123456789abcdef'
    const variables = container?.env?.map(({ name }) => [name, secret]) ?? []
    const program = join(ROOT, 'packages/gateway/dist/main.js')
    const { status, stderr } = spawnSync(process.execPath, [program, 'check', '--config', path], {
      encoding: 'utf8',
      env: { ...process.env, ...(Object.fromEntries(variables) as NodeJS.ProcessEnv) },
    })
    // The port answers inside the cluster, and the warning says so.
    expect([status, stderr]).toEqual([0, expect.stringMatching(/^\S+: admin\.token travels in clear .*\n$/)])
    const [mount] = container?.volumeMounts ?? []
    expect(container?.command).toEqual(['limpet', '--config', `${mount?.mountPath}/limpet.yaml`])
    expect(pod?.volumes).toEqual([{ name: mount?.name, configMap: { name: 'limpet' } }])
  })

  test('ports are those of the file', () => {
    expect(container?.ports?.map(({ containerPort }) => `0.0.0.0:${containerPort}`)).toEqual([
      file.listen,
      file.admin.listen,
    ])
  })

  test('the service is that of the application, and its port too', () => {
    const shop = only('Service', SHOP)
    expect(shop.metadata?.name).toBe(service)
    expect(shop.spec?.ports?.map(({ name }) => name)).toEqual([port])
  })

  test('times fit into each other', () => {
    const seconds = (text_: string): number => Number(/^(\d+)s$/.exec(text_)?.[1])
    const { periodSeconds = 0, failureThreshold = 0 } = container?.readinessProbe ?? {}
    expect(seconds(file.preStop)).toBeGreaterThan(periodSeconds * failureThreshold)
    expect(pod?.terminationGracePeriodSeconds).toBeGreaterThan(
      seconds(file.preStop) + seconds(file.shutdownGrace),
    )
    const shop = only('Deployment', SHOP).spec?.template.spec
    const drain = shop?.containers[0]?.lifecycle?.preStop?.sleep?.seconds
    expect(drain).toBeGreaterThan(seconds(drainDeadline))
    expect(shop?.terminationGracePeriodSeconds).toBeGreaterThan(Number(drain))
  })
})

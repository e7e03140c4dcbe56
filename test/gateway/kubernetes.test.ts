import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { ApiServer } from '../support/api-server.ts'
import { type Backend, startBackends } from '../support/backend.ts'
import { type EndpointSlice, type SlicePod, sliceOf } from '../support/endpoint-slice.ts'
import { fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'

/** `discovery: { kubernetes: … }` in the file of the command. */

const GATEWAY = fileURLToPath(new URL('../../packages/gateway/', import.meta.url))

async function apiServer(): Promise<ApiServer> {
  const api = await ApiServer.start()
  onTestFinished(() => api.close())
  return api
}

function podOf({ id, port }: Backend, conditions: Partial<SlicePod> = {}): EndpointSlice {
  return sliceOf(id, [{ name: id, address: '127.0.0.1', ...conditions }], {
    ports: [{ name: 'http', port, protocol: 'TCP' }],
  })
}

function kubernetesOf(api: ApiServer, pool: object = {}, more: object = {}): object {
  const discovery = { kubernetes: { service: 'shop', port: 'http', kubeconfig: api.kubeconfig } }
  return fileOf([], more, { discovery, waitForBackend: '5s', ...pool })
}

async function stateOf(gateway: GatewayProcess, id: string): Promise<unknown> {
  const { text } = await gateway.admin('GET', '/stats.json')
  const { pools } = JSON.parse(text) as { pools: { web: { backends: { id: string; state: string }[] } } }
  return pools.web.backends.find(row => row.id === id)?.state
}

test('a file has the pods of a service, which drain, and keeps them over a reload', async () => {
  const [w1, w2] = await startBackends('w1', 'w2')
  const api = await apiServer()
  api.set(podOf(w1), podOf(w2))
  const gateway = await GatewayProcess.start(kubernetesOf(api))
  const browser = gateway.browser()
  const home = await browser.visit()
  const own = home === 'w1' ? w1 : w2
  await expect.poll(() => api.watches).toBe(1)
  api.set(podOf(own, { terminating: true }))
  await expect.poll(async () => stateOf(gateway, own.id)).toBe('drain')
  expect(await browser.visit()).toBe(home)
  gateway.write(kubernetesOf(api, { maxAttempts: 2 }))
  gateway.signal('SIGHUP')
  await gateway.logged('reloaded')
  expect(await stateOf(gateway, own.id)).toBe('drain')
  expect(await browser.visit()).toBe(home)
  api.delete(own.id)
  await expect.poll(async () => stateOf(gateway, own.id)).toBe(undefined)
  expect(await browser.visit()).not.toBe(home)
})

test('each worker follows the service', async () => {
  const [w1] = await startBackends('w1')
  const api = await apiServer()
  api.set(podOf(w1))
  const gateway = await GatewayProcess.start(kubernetesOf(api, {}, { workers: 2 }))
  await expect.poll(() => api.watches).toBe(2)
  expect(await gateway.browser().visit()).toBe('w1')
})

test('an API server that forbids it is a line in the log', async () => {
  const api = await apiServer()
  api.token = 'another'
  const gateway = await GatewayProcess.start(kubernetesOf(api, { waitForBackend: '0s' }))
  expect(await gateway.logged('discovery_failed')).toMatchObject({
    pool: 'web',
    name: 'shop',
    error: 'the API server said 401: Unauthorized; is the token still valid?',
  })
  expect((await gateway.ask()).status).toBe(503)
})

test('a gateway that follows a service ends when it is told to', async () => {
  const api = await apiServer()
  api.set(sliceOf('shop-a', []))
  const gateway = await GatewayProcess.start(kubernetesOf(api))
  await expect.poll(() => api.watches).toBe(1)
  gateway.signal('SIGTERM')
  expect((await gateway.exited).code).toBe(0)
  await expect.poll(() => api.watches).toBe(0)
})

test('without the package, a file that asks for it is told what to install', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'limpet-without-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  cpSync(join(GATEWAY, 'dist'), join(folder, 'dist'), { recursive: true })
  cpSync(join(GATEWAY, 'package.json'), join(folder, 'package.json'))
  const modules = join(folder, 'node_modules')
  mkdirSync(join(modules, '@limpet'), { recursive: true })
  for (const scope of ['', '@limpet']) {
    for (const name of readdirSync(join(GATEWAY, 'node_modules', scope)))
      if (!['@limpet', 'kubernetes', 'redis', '.bin', '.cache'].includes(name))
        symlinkSync(join(GATEWAY, 'node_modules', scope, name), join(modules, scope, name))
  }
  const check = (file: object): ReturnType<typeof spawnSync> => {
    const path = join(folder, 'limpet.json')
    writeFileSync(path, JSON.stringify(file))
    return spawnSync(process.execPath, [join(folder, 'dist/main.js'), 'check', '--config', path], {
      encoding: 'utf8',
      // pnpm leads require() to packages of the whole repository.
      env: { ...process.env, NODE_PATH: '' },
    })
  }
  expect(check(fileOf([], {}, { discovery: { dns: 'app.internal:80' } })).status).toBe(0)
  const { status, stderr } = check(fileOf([], {}, { discovery: { kubernetes: { service: 'shop' } } }))
  expect(status).not.toBe(0)
  expect(String(stderr)).toContain(
    'pools.web.discovery.kubernetes needs the package @limpet/kubernetes; install it beside limpet: npm install @limpet/kubernetes',
  )
  const store = check(fileOf([], { store: { redis: { url: 'redis://127.0.0.1' } } }))
  expect(store.status).not.toBe(0)
  expect(String(store.stderr)).toContain(
    'store.redis needs the package @limpet/redis; install it beside limpet: npm install @limpet/redis',
  )
})

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'
import { limpet } from '../support/limpet-command.ts'
import { LoadedModules } from '../support/loaded-modules.ts'

/** Modules that a command loads: each costs memory as long as a gateway runs, and time at its start. */

/** Packages that only a part of the gateways needs. */
const OPTIONAL = [
  '@limpet/kubernetes',
  '@limpet/metrics',
  '@limpet/redis',
  '@limpet/stats',
  'ajv',
  'express',
  'fastify',
  'http-proxy-middleware',
  'koa',
  'pino-pretty',
  'undici',
]

/** Those of `OPTIONAL` that a gateway with this file has loaded when it ends. */
async function loadedBy(more: object, args: readonly string[] = []): Promise<readonly string[]> {
  const loaded = new LoadedModules()
  const gateway = await GatewayProcess.start({ ...fileOf([]), ...more }, args, loaded.environment)
  gateway.signal('SIGTERM')
  await gateway.exited
  return OPTIONAL.filter(name => loaded.byPackage.has(name))
}

describe('limpet loads', () => {
  test.each(['--help', '--version', 'schema'])('for %s a few modules of its own', async argument => {
    const loaded = new LoadedModules()
    expect((await limpet([argument], loaded.environment)).code).toBe(0)
    expect([...loaded.byPackage.keys()]).toEqual(['@limpet/gateway'])
    expect(loaded.byPackage.get('@limpet/gateway')?.length).toBeLessThan(20)
  })

  test('for a gateway the framework that serves, and nothing of the other two', async () => {
    expect(await loadedBy({ admin: undefined }, ['--adapter', 'fastify'])).toEqual(['fastify', 'undici'])
    expect(await loadedBy({ admin: undefined }, ['--adapter', 'express'])).toEqual([
      'express',
      'http-proxy-middleware',
    ])
    expect(await loadedBy({ admin: undefined }, ['--adapter', 'koa'])).toEqual([
      'http-proxy-middleware',
      'koa',
    ])
  })

  test('statistics and metrics for an admin port alone', async () => {
    const admin = { listen: '127.0.0.1:0' }
    expect(await loadedBy({ admin }, ['--adapter', 'koa'])).toEqual([
      '@limpet/metrics',
      '@limpet/stats',
      'http-proxy-middleware',
      'koa',
    ])
  })
})

test('@limpet/fastify loads http-proxy-middleware with the first WebSocket', () => {
  const loaded = new LoadedModules()
  const entry = new URL('../../packages/fastify/dist/index.js', import.meta.url)
  const { status } = spawnSync(process.execPath, [fileURLToPath(entry)], {
    env: { ...process.env, ...loaded.environment },
  })
  expect(status).toBe(0)
  expect(OPTIONAL.filter(name => loaded.byPackage.has(name))).toEqual(['undici'])
})

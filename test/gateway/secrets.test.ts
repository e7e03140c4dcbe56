import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { type Backend, startBackends } from '../support/backend.ts'
import { fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'

const TLS = fileURLToPath(new URL('../support/tls', import.meta.url))
const FIRST = 'a-first-secret-of-the-tests-0123456789abcdef'
const SECOND = 'another-secret-of-the-tests-0123456789abcdef'

/** Two workers, whose only secret stands in a file. */
async function startWorkers(
  backends: readonly Backend[],
): Promise<{ gateway: GatewayProcess; folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'limpet-secrets-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'secret'), FIRST)
  copyFileSync(join(TLS, 'certificate.pem'), join(folder, 'ca.pem'))
  const gateway = await GatewayProcess.start(
    fileOf(
      backends,
      { workers: 2, secrets: [`file:${join(folder, 'secret')}`] },
      { tls: { ca: join(folder, 'ca.pem') } },
    ),
  )
  return { gateway, folder }
}

/** Replaces both workers: the first child that is alive is the older one. */
async function replaceWorkers(gateway: GatewayProcess): Promise<void> {
  for (const count of [1, 2]) {
    gateway.killWorker()
    await gateway.logged('worker_started', count)
  }
}

/** The affinity statuses of further visits. */
async function statusesOf(gateway: GatewayProcess, visits: () => Promise<unknown>): Promise<unknown[]> {
  const before = gateway.log.filter(({ event }) => event === 'request').length
  for (let times = 1; times <= 6; times += 1) {
    await visits()
    await gateway.logged('request', before + times)
  }
  return gateway.log
    .filter(({ event }) => event === 'request')
    .slice(before)
    .map(line => line['affinity'])
}

test('a worker that starts again has the secrets of the others, whatever their files say now', async () => {
  const { gateway, folder } = await startWorkers(await startBackends('w1', 'w2'))
  const browser = gateway.browser()
  await browser.visit()
  writeFileSync(join(folder, 'secret'), SECOND)
  // A file that is not there any more does not matter, either.
  rmSync(join(folder, 'ca.pem'))
  await gateway.logged('request', 1)
  gateway.killWorker()
  await gateway.logged('worker_started', 1)
  expect(new Set(await statusesOf(gateway, async () => browser.visit()))).toEqual(new Set(['matched']))
})

test('SIGHUP reads the secrets once, for all workers and for those that start later', async () => {
  const { gateway, folder } = await startWorkers(await startBackends('w1', 'w2'))
  writeFileSync(join(folder, 'secret'), SECOND)
  gateway.signal('SIGHUP')
  expect(await gateway.logged('reloaded')).toMatchObject({ changed: ['pools.web'] })
  const browser = gateway.browser()
  await browser.visit()
  await gateway.logged('request', 1)
  writeFileSync(join(folder, 'secret'), FIRST)
  await replaceWorkers(gateway)
  expect(new Set(await statusesOf(gateway, async () => browser.visit()))).toEqual(new Set(['matched']))
})

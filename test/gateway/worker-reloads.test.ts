import { describe, expect, test } from 'vitest'
import { startBackends } from '../support/backend.ts'
import { askSecurely, CertificateFiles } from '../support/certificate-files.ts'
import { fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'

/** Reloads that one of several workers cannot make. */

const CONNECTIONS = 8

/** Code that fails in the second worker when it gets another certificate than at its start. */
function faultOf(statement: string): NodeJS.ProcessEnv {
  const code = `
    import cluster from 'node:cluster'
    import { syncBuiltinESMExports } from 'node:module'
    import tls from 'node:tls'
    const real = tls.createSecureContext
    let first
    tls.createSecureContext = options => {
      first ??= options.cert
      if (cluster.worker?.id === 2 && options.cert !== first) { ${statement} }
      return real(options)
    }
    syncBuiltinESMExports()`
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` }
}

const BEFORE = ['app.internal from w1']
const AFTER = ['renewed.internal from w2']

/** A gateway of two workers, and a reload of its certificate, its backends and an option of its pool. */
async function startReloading(environment: NodeJS.ProcessEnv) {
  const certificate = new CertificateFiles('app.internal')
  const { cert, key } = certificate
  const more = { workers: 2, listen: { port: 0, tls: { cert, key } } }
  const [w1, w2] = await startBackends('w1', 'w2')
  const gateway = await GatewayProcess.start(fileOf([w1], more), [], environment)
  return {
    gateway,
    reload: (): void => {
      certificate.put('renewed.internal')
      gateway.write(fileOf([w2], more, { maxAttempts: 2 }))
      gateway.signal('SIGHUP')
    },
    /** The certificates and backends of new connections to both workers. */
    served: async (): Promise<readonly string[]> => {
      const asked = Array.from({ length: CONNECTIONS }, async () => askSecurely(gateway.port))
      const all = (await Promise.all(asked)).map(({ subject, backend }) => `${subject} from ${backend}`)
      return [...new Set(all)]
    },
  }
}

// Each process takes its time to start, and a worker that does not respond has 5 s.
describe('a reload of several workers', { timeout: 60_000 }, () => {
  test('is made by none when it fails in one', async () => {
    const { gateway, reload, served } = await startReloading(faultOf(`throw new Error('no such engine')`))
    reload()
    expect(await gateway.logged('reload_failed')).toMatchObject({
      refusals: [
        { worker: 2, reason: 'listen.tls takes a certificate and its key, as PEM (no such engine)' },
      ],
    })
    expect(await served()).toEqual(BEFORE)
    // A worker that is started later gets the configuration of the others.
    const [, second = 0] = gateway.workers
    process.kill(second, 'SIGKILL')
    await gateway.logged('worker_started')
    expect(await served()).toEqual(BEFORE)
    // The successor of the second worker has another number.
    reload()
    expect(await gateway.logged('reloaded')).toMatchObject({
      changed: ['pools.web', 'listen.tls'],
    })
    expect(await served()).toEqual(AFTER)
    gateway.signal('SIGTERM')
    expect(await gateway.exited).toMatchObject({ code: 0 })
  })

  test('is made by none when one ends while it prepares it', async () => {
    const { gateway, reload, served } = await startReloading(faultOf(`process.kill(process.pid, 'SIGKILL')`))
    reload()
    expect(await gateway.logged('reload_failed')).toMatchObject({
      refusals: [{ worker: 2, reason: 'a worker has ended' }],
    })
    await gateway.logged('worker_started')
    expect(await served()).toEqual(BEFORE)
    reload()
    await gateway.logged('reloaded')
    expect(await served()).toEqual(AFTER)
  })

  test('is made by none when one does not respond, which does not make it later', async () => {
    const { gateway, reload, served } = await startReloading({})
    const [, stopped = 0] = gateway.workers
    process.kill(stopped, 'SIGSTOP')
    reload()
    await expect.poll(() => gateway.log.at(-1)?.event, { timeout: 20_000 }).toBe('reload_failed')
    const { refusals } = gateway.log.at(-1) as unknown as { refusals: readonly { reason: string }[] }
    expect(refusals.map(({ reason }) => reason)).toEqual(['a worker did not respond within 5000 ms'])
    process.kill(stopped, 'SIGCONT')
    // Its reply is the one that the figures wait for, and comes after all orders.
    expect((await gateway.admin('GET', '/stats.json')).status).toBe(200)
    expect(await served()).toEqual(BEFORE)
    reload()
    await gateway.logged('reloaded')
    expect(await served()).toEqual(AFTER)
  })
})

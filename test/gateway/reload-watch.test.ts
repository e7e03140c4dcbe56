import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startBackend, startBackends } from '../support/backend.ts'
import { askSecurely, CertificateFiles } from '../support/certificate-files.ts'
import { fileOf } from '../support/gateway-file.ts'
import { GatewayProcess } from '../support/gateway-process.ts'
import { limpet } from '../support/limpet-command.ts'

/** The gateway's file is watched. */

const WATCH = { reload: 'watch' }

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'limpet-watched-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function eventsOf(gateway: GatewayProcess): readonly string[] {
  return gateway.log.map(({ event }) => event).filter(event => event.startsWith('reload'))
}

/** Replaces a link or a file in one step. */
function swap(path: string, make: (path: string) => void): void {
  make(`${path}.new`)
  renameSync(`${path}.new`, path)
}

describe('a watched file', { timeout: 60_000 }, () => {
  test('is read again when it is written or replaced, and not when its text is the same', async () => {
    const [w1, w2, w3] = await startBackends('w1', 'w2', 'w3')
    const gateway = await GatewayProcess.start(fileOf([w1], WATCH))
    gateway.write(fileOf([w2], WATCH))
    expect(await gateway.logged('reloaded')).toMatchObject({ by: 'watch', changed: ['pools.web.backends'] })
    expect((await gateway.ask()).echo.id).toBe('w2')
    gateway.write(fileOf([w2], WATCH))
    swap(gateway.file, path => writeFileSync(path, JSON.stringify(fileOf([w3], WATCH))))
    await gateway.logged('reloaded', 2)
    expect((await gateway.ask()).echo.id).toBe('w3')
    rmSync(gateway.file)
    gateway.write(fileOf([w1], WATCH))
    await gateway.logged('reloaded', 3)
    expect((await gateway.ask()).echo.id).toBe('w1')
    gateway.signal('SIGHUP')
    expect(await gateway.logged('reloaded', 4)).toMatchObject({ by: 'SIGHUP', changed: [] })
    expect(eventsOf(gateway)).toEqual(['reloaded', 'reloaded', 'reloaded', 'reloaded'])
    gateway.signal('SIGTERM')
    expect(await gateway.exited).toMatchObject({ code: 0 })
  })

  test('that is broken is refused once, and the gateway goes on', async () => {
    const [w1, w2] = await startBackends('w1', 'w2')
    const gateway = await GatewayProcess.start(fileOf([w1], WATCH))
    gateway.write('pools: [')
    await gateway.logged('reload_refused')
    expect((await gateway.ask()).echo.id).toBe('w1')
    // An event of the folder has it read again.
    writeFileSync(join(dirname(gateway.file), 'other'), '')
    const token = { listen: '127.0.0.1:0', token: 'file:token.txt' }
    gateway.write(fileOf([w2], { ...WATCH, admin: token }))
    expect(await gateway.logged('reload_refused', 2)).toMatchObject({
      problems: [expect.stringMatching(/^admin\.token the file .*token\.txt cannot be read \(ENOENT\);/)],
    })
    // The file that was missing is no part of the configuration in use.
    writeFileSync(join(dirname(gateway.file), 'token.txt'), 'token-of-the-tests-0123456789')
    await gateway.logged('reloaded')
    expect((await gateway.ask()).echo.id).toBe('w2')
    expect(eventsOf(gateway)).toEqual(['reload_refused', 'reload_refused', 'reloaded'])
  })

  test('that is gone is refused once, after the time to replace it', async () => {
    const w1 = await startBackend('w1')
    const gateway = await GatewayProcess.start(fileOf([w1], WATCH))
    rmSync(gateway.file)
    await expect.poll(() => eventsOf(gateway), { timeout: 20_000 }).toEqual(['reload_refused'])
    expect((await gateway.ask()).status).toBe(200)
  })

  test('may be a ConfigMap, whose link the kubelet swaps', async () => {
    const [w1, w2, w3] = await startBackends('w1', 'w2', 'w3')
    const folder = newFolder()
    const file = join(folder, 'limpet.yaml')
    let last: string | undefined
    function publish(version: string, content: object): void {
      mkdirSync(join(folder, version))
      writeFileSync(join(folder, version, 'limpet.yaml'), JSON.stringify(content))
      swap(join(folder, '..data'), path => symlinkSync(version, path))
      if (last !== undefined) rmSync(join(folder, last), { recursive: true })
      last = version
    }
    publish('..2026_01', fileOf([w1]))
    symlinkSync('..data/limpet.yaml', file)
    const gateway = await GatewayProcess.start('', ['--config', file, '--watch'])
    publish('..2026_02', fileOf([w2]))
    await gateway.logged('reloaded')
    expect((await gateway.ask()).echo.id).toBe('w2')
    publish('..2026_03', fileOf([w3]))
    await gateway.logged('reloaded', 2)
    expect((await gateway.ask()).echo.id).toBe('w3')
    expect(gateway.log.filter(({ event }) => event === 'restart_needed')).toEqual([])
  })

  test('is compared every 5 s where there is no event', async () => {
    const [w1, w2] = await startBackends('w1', 'w2')
    const folder = newFolder()
    for (const backend of [w1, w2]) {
      mkdirSync(join(folder, backend.options.id))
      writeFileSync(join(folder, backend.options.id, 'limpet.yaml'), JSON.stringify(fileOf([backend])))
    }
    const link = join(folder, 'current')
    symlinkSync('w1', link)
    const gateway = await GatewayProcess.start('', ['--config', join(link, 'limpet.yaml'), '--watch'])
    // The folder of the link is not watched.
    swap(link, path => symlinkSync('w2', path))
    await expect.poll(() => eventsOf(gateway), { timeout: 20_000 }).toEqual(['reloaded'])
    expect((await gateway.ask()).echo.id).toBe('w2')
  })

  test.each([1, 2])('has a certificate that is watched, with %i workers', async workers => {
    const certificate = new CertificateFiles('app.internal')
    const { cert, key } = certificate
    const w1 = await startBackend('w1')
    const file = fileOf([w1], { ...WATCH, workers, listen: { port: 0, tls: { cert, key } } })
    const gateway = await GatewayProcess.start(file)
    expect((await askSecurely(gateway.port)).subject).toBe('app.internal')
    certificate.put('renewed.internal')
    expect(await gateway.logged('reloaded')).toMatchObject({ by: 'watch', changed: ['listen.tls'] })
    const asked = Array.from({ length: 8 }, async () => (await askSecurely(gateway.port)).subject)
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['renewed.internal']))
    gateway.signal('SIGTERM')
    expect(await gateway.exited).toMatchObject({ code: 0 })
  })

  test.each(['check', 'proxy', 'schema'])('is no matter of limpet %s', async word => {
    expect(await limpet([word, '--watch'])).toMatchObject({
      code: 1,
      error: expect.stringContaining(`--watch is a flag of limpet without a word`),
    })
  })
})

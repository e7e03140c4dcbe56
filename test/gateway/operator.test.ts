import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Backend, startBackend, startBackends } from '../support/backend.ts'
import { freePort } from '../support/free-port.ts'
import { fileOf } from '../support/gateway-file.ts'
import { GATEWAY_PROGRAM, GatewayProcess } from '../support/gateway-process.ts'
import { limpet } from '../support/limpet-command.ts'
import { echoWith } from '../support/scripts.ts'

/** The commands of an operator to a running gateway. */

const TOKEN = 'a-token-of-the-operator-tests-01'

async function gatewayOf(backends: readonly Backend[], more: object = {}, pool: object = {}) {
  const gateway = await GatewayProcess.start(fileOf(backends, more, pool))
  const admin = ['--admin', `http://127.0.0.1:${gateway.adminPort}`]
  return { gateway, run: async (...args: string[]) => limpet([...args, ...admin]) }
}

/** Sessions that begin now, each with a cookie jar of its own. */
async function guests(gateway: GatewayProcess, count: number) {
  const browsers = Array.from({ length: count }, () => gateway.browser())
  for (const browser of browsers) await browser.visit()
  return browsers
}

describe('a drain', () => {
  test.each([1, 2])('of sessions that end is safe to stop, and says so, with %i workers', async workers => {
    const backends = await startBackends('w1', 'w2')
    const { gateway, run } = await gatewayOf(
      backends,
      { workers },
      { affinity: [{ cookie: { maxIdle: '1s' } }] },
    )
    await guests(gateway, 4)
    const { code, out, error } = await run('drain', 'web/w1', '--wait')
    expect([code, error]).toEqual([0, ''])
    expect(out).toMatch(/^\[#*\.*\] .*sessions?, 0 tunnels, 0 requests in flight; ends in .*$/m)
    expect(out).toMatch(/^web\/w1 is safe to stop: no session is left$/m)
    const { text: row } = await gateway.admin('GET', '/pools/web/backends/w1')
    expect(JSON.parse(row)).toMatchObject({ state: 'maint', lastDrain: { outcome: 'drained', inFlight: 0 } })
  })

  test.each([1, 2])('whose deadline moves sessions exits with 2, with %i workers', async workers => {
    const backends = await startBackends('w1', 'w2')
    const { gateway, run } = await gatewayOf(backends, { workers })
    const all = await guests(gateway, 8)
    const { code, out } = await run('drain', 'web/w1', '--deadline', '1s', '--spread', '1s', '--wait')
    expect(code).toBe(2)
    expect(out).toMatch(/web\/w1 is safe to stop: the deadline has passed, and moved .*sessions?$/m)
    for (const browser of all) expect(await browser.visit()).toBe('w2')
  })

  test('tells how many sessions were moved, where they are known', async () => {
    const script = echoWith(200, { 'Set-Cookie': 'sid=1' })
    const backends = [await startBackend('w1', script), await startBackend('w2', script)]
    const learn = { affinity: [{ learn: { cookie: 'sid', ttl: '1h' } }] }
    const { gateway, run } = await gatewayOf(backends, {}, learn)
    const id = await gateway.browser().visit()
    expect(await run('drain', `web/${id}`, '--deadline', '0s', '--wait')).toMatchObject({
      code: 2,
      out: expect.stringMatching(
        new RegExp(`web/${id} is safe to stop: the deadline has passed, and moved 1 session`),
      ) as string,
    })
  })

  test('that another command ends is not safe to stop', async () => {
    const backends = await startBackends('w1', 'w2')
    const { gateway, run } = await gatewayOf(backends)
    const draining = run('drain', 'web/w1', '--deadline', '1h', '--wait')
    const stateOf = async (): Promise<string> =>
      (JSON.parse((await gateway.admin('GET', '/pools/web/backends/w1')).text) as { state: string }).state
    await expect.poll(stateOf, { timeout: 20_000 }).toBe('drain')
    expect(await run('ready', 'web/w1')).toMatchObject({ code: 0 })
    expect(await draining).toMatchObject({
      code: 1,
      error: 'limpet: the drain of web/w1 was ended by another command; its state is ready\n',
    })
  })

  test('goes on over a reload that makes its pool anew', async () => {
    const backends = await startBackends('w1', 'w2')
    const { gateway, run } = await gatewayOf(backends)
    expect(await run('drain', 'web/w1', '--deadline', '1h', '--spread', '1m')).toMatchObject({ code: 0 })
    const admin = { listen: '127.0.0.1:0' }
    gateway.write(fileOf(backends, { admin }, { slowStart: '30s' }))
    gateway.signal('SIGHUP')
    await gateway.logged('reloaded')
    const { text: row } = await gateway.admin('GET', '/pools/web/backends/w1')
    expect(JSON.parse(row)).toMatchObject({ state: 'drain', drain: { spreadMs: 60_000 } })
    expect((await run('status', 'web/w1')).out).toMatch(/drain, 1h [01]m left/)
  })
})

describe('the other commands', () => {
  test('change a backend and show it', async () => {
    const backends = await startBackends('w1', 'w2')
    const { run } = await gatewayOf(backends)
    const { code, out } = await run('status')
    expect(code).toBe(0)
    expect(out.split('\n').map(line => line.trim().split(/ {2,}/))).toEqual([
      ['backend', 'state', 'weight', 'sessions', 'in flight', 'tunnels', 'requests', '5xx', 'failures'],
      ['web/w1', 'up', '1', '~0', '0', '0', '0', '0', '0'],
      ['web/w2', 'up', '1', '~0', '0', '0', '0', '0', '0'],
      [''],
    ])
    expect((await run('maint', 'web/w1')).out).toMatch(/^web\/w1 +maint /m)
    expect((await run('weight', 'web/w2', '7')).out).toMatch(/^web\/w2 +up +7 /m)
    expect((await run('status', 'web/w2')).out).not.toContain('w1')
    expect((await run('ready', 'web/w1')).out).toMatch(/^web\/w1 +up /m)
    expect((await run('drain', 'web/w1', '--deadline', '10m')).out).toMatch(
      /^web\/w1 +drain, (?:10m 0s|9m 59s) left /m,
    )
  })

  test('top prints the table again and again', async () => {
    const backends = await startBackends('w1')
    const { gateway } = await gatewayOf(backends)
    const child = spawn(
      process.execPath,
      [GATEWAY_PROGRAM, 'top', '--every', '100ms', '--admin', `http://127.0.0.1:${gateway.adminPort}`],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    let out = ''
    child.stdout.setEncoding('utf8').on('data', (piece: string) => (out += piece))
    onTestFinished(() => void child.kill('SIGKILL'))
    await expect.poll(() => out.match(/^web\/w1 +up/gm)?.length ?? 0, { timeout: 20_000 }).toBeGreaterThan(2)
  })

  test('take the admin port and its token from the file, or the token from the environment', async () => {
    const backends = await startBackends('w1')
    const admin = { listen: `127.0.0.1:${await freePort()}`, token: TOKEN }
    const gateway = await GatewayProcess.start(fileOf(backends, { admin }))
    expect(await limpet(['status', '--config', gateway.file])).toMatchObject({ code: 0, error: '' })
    const url = `http://${admin.listen}`
    const told = { LIMPET_ADMIN_TOKEN: TOKEN }
    expect(await limpet(['status', '--admin', url], told)).toMatchObject({ code: 0, error: '' })
    expect(await limpet(['status', '--admin', url])).toEqual({
      code: 1,
      out: '',
      error: `limpet status: ${url} needs its token; set LIMPET_ADMIN_TOKEN, or name the file of the gateway with --config\n`,
    })
    const wrong = await limpet(['status', '--admin', url], { LIMPET_ADMIN_TOKEN: 'wrong-token-0123456789' })
    expect(wrong.code).toBe(1)
    expect(wrong.error).not.toContain('wrong-token')
  })

  test('say what is not there', async () => {
    const backends = await startBackends('w1')
    const { run } = await gatewayOf(backends)
    for (const [args, problem] of [
      [['drain', 'none/w1'], 'there is no pool none'],
      [['drain', 'web/w9', '--wait'], 'there is no backend w9'],
      [['maint', 'constructor/w1'], 'there is no pool constructor'],
      [['status', 'none'], 'there is no pool none; there are web'],
      [['status', 'web/w9'], 'there is no backend w9'],
    ] as const)
      expect(await run(...args)).toEqual({ code: 1, out: '', error: `limpet ${args[0]}: ${problem}\n` })
    const gone = `http://127.0.0.1:${await freePort()}`
    expect(await limpet(['status', '--admin', gone])).toMatchObject({
      code: 1,
      error: expect.stringMatching(/^limpet status: http:\S+: .*ECONNREFUSED.*\n$/) as string,
    })
  })

  test('a file in the folder names the port', async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'limpet-operator-'))
    onTestFinished(() => rmSync(cwd, { recursive: true, force: true }))
    writeFileSync(join(cwd, 'limpet.yaml'), 'pools: {}')
    const child = spawn(process.execPath, [GATEWAY_PROGRAM, 'status'], {
      cwd,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    expect(await text(child.stderr)).toMatch(/^limpet status: limpet.yaml has problems; limpet check/)
  })
})

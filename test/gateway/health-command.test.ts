import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import type { AddressInfo } from 'node:net'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startBackends } from '../support/backend.ts'
import { startBlackHole } from '../support/black-hole.ts'
import { freePort } from '../support/free-port.ts'
import { fileOf } from '../support/gateway-file.ts'
import { GATEWAY_PROGRAM, GatewayProcess } from '../support/gateway-process.ts'
import { limpetHere } from '../support/limpet-command.ts'

/** `limpet health`, as a container runs it. */

interface Ended {
  readonly code: number
  readonly out: string
  readonly error: string
}

async function health(...args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [GATEWAY_PROGRAM, 'health', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [out, error, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  return { code: Number(code), out, error }
}

function fileWith(content: object | string): string {
  const folder = mkdtempSync(join(tmpdir(), 'limpet-health-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'limpet.yaml')
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

describe('limpet health', () => {
  test('exits with 0 while the gateway is ready, and with 1 from the moment that it ends', async () => {
    const backends = await startBackends('w1')
    const admin = { listen: `127.0.0.1:${await freePort()}` }
    const gateway = await GatewayProcess.start({ ...fileOf(backends), admin, preStop: '20s' })
    const url = `http://${admin.listen}`
    const ready = { code: 0, out: 'ok\n', error: '' }
    expect(await health('--url', url)).toEqual(ready)
    expect(await health('--config', gateway.file)).toEqual(ready)
    gateway.signal('SIGTERM')
    await expect.poll(async () => (await gateway.admin('GET', '/healthz')).status).toBe(503)
    expect(await health('--url', url)).toEqual({
      code: 1,
      out: '',
      error: `limpet health: ${url}/healthz: the status is 503; a ready gateway has 200\n`,
    })
  })

  test('reaches an admin port that listens on all interfaces', async () => {
    const backends = await startBackends('w1')
    const admin = { listen: `0.0.0.0:${await freePort()}`, token: 'a-token-of-the-tests-0123456789' }
    const gateway = await GatewayProcess.start({ ...fileOf(backends), admin })
    expect(await health('-c', gateway.file)).toMatchObject({ code: 0 })
  })

  test('exits with 1 and one line when it gets no answer, or that of another server', async () => {
    const gone = `http://127.0.0.1:${await freePort()}/healthz`
    expect(await health('--url', gone)).toMatchObject({
      code: 1,
      error: expect.stringMatching(/^limpet health: \S+\/healthz: .*ECONNREFUSED.*\n$/),
    })
    const { url } = await startBlackHole('silent')
    expect(await health('--url', String(url), '--timeout', '100ms')).toMatchObject({
      code: 1,
      error: `limpet health: ${String(url)}/healthz: no response after 100 ms\n`,
    })
    const other = createServer((_, response) => void response.writeHead(302, { Location: gone }).end('x'))
    other.listen(0, '127.0.0.1')
    await once(other, 'listening')
    onTestFinished(() => void other.close())
    const at = `http://127.0.0.1:${(other.address() as AddressInfo).port}/own`
    expect(await health('--url', at)).toMatchObject({
      code: 1,
      error: `limpet health: ${at}: the status is 302; a ready gateway has 200\n`,
    })
  })

  const pools = { web: { backends: [{ id: 'a', url: 'http://127.0.0.1:1' }] } }
  test.each([
    ['an unknown option', ['--timout', '1s'], '--timout is not known; did you mean --timeout?'],
    ['a word', ['now'], 'a word is not known; there are flags only'],
    ['a URL that is none', ['--url', 'x'], '--url takes http://host:port'],
    ['a URL with a password', ['--url', 'http://a:secret@b/'], '--url takes http://host:port'],
    ['no time', ['--timeout', '0s'], '--timeout got "0s"; it takes a duration'],
    ['both places', ['--url', 'http://a', '--config', 'b'], '--url and --config are both given'],
    ['a missing file', ['--config', '/nowhere/limpet.yaml'], '/nowhere/limpet.yaml has problems'],
  ])('%s is one clear line', async (_, args, message) => {
    const { code, out, error } = await limpetHere(['health', ...args])
    expect([code, out, error.split('\n').length]).toEqual([1, '', 2])
    expect(error).toContain(`limpet health: ${message}`)
    expect(error).not.toContain('secret')
  })

  test.each([
    ['without an admin port', {}, 'has no admin port; add admin: {}'],
    ['with any free port', { admin: { listen: '127.0.0.1:0' } }, 'has port 0 in admin.listen'],
    ['with a mistake', { admn: {} }, 'has problems; limpet check --config '],
  ])('a file %s is one clear line', async (_, more, message) => {
    const { code, error } = await limpetHere(['health', '--config', fileWith({ pools, ...more })])
    expect([code, error.split('\n').length]).toEqual([1, 2])
    expect(error).toContain(message)
  })

  test('--help lists the options', async () => {
    const { code, out } = await limpetHere(['health', '--help'])
    expect([code, out]).toEqual([0, expect.stringContaining('--timeout TIME')])
  })
})

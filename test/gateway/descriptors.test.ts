import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, onTestFinished, test } from 'vitest'
import { startBackends } from '../support/backend.ts'
import { GATEWAY_PROGRAM } from '../support/gateway-process.ts'
import { valuesOf } from '../support/header-lines.ts'
import { ask } from '../support/http-client.ts'
import { openRaw, parseAnswers } from '../support/raw-client.ts'
import { echo, hang } from '../support/scripts.ts'

const DESCRIPTORS = 64

/** The `limpet` command with few descriptors. Its port. */
async function startGateway(backends: readonly object[]): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'limpet-'))
  const file = join(folder, 'limpet.yaml')
  const pool = { backends, passive: { fall: 1 } }
  writeFileSync(
    file,
    JSON.stringify({
      listen: '127.0.0.1:0',
      secrets: ['descriptors-0123456789abcdefghijklmnop'],
      pools: { web: pool },
      routes: [{ pool: 'web' }],
    }),
  )
  const command = `ulimit -n ${DESCRIPTORS} && exec "$0" "$@"`
  const child = spawn('bash', ['-c', command, process.execPath, GATEWAY_PROGRAM, '--config', file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(async () => {
    const exited = once(child, 'exit')
    if (child.kill('SIGKILL')) await exited
    rmSync(folder, { recursive: true, force: true })
  })
  for await (const line of createInterface(child.stdout)) {
    const { event, port } = JSON.parse(line) as { event: string; port?: number }
    if (event === 'listening') {
      child.stdout.resume()
      return Number(port)
    }
  }
  throw new Error('the gateway has ended')
}

test('a gateway without descriptors answers 503, blames no backend, and recovers', async () => {
  const [w1, w2] = await startBackends('w1', 'w2')
  w1.script = hang
  w2.script = hang
  const port = await startGateway([w1.options, w2.options])
  const clients = await Promise.all(Array.from({ length: DESCRIPTORS }, () => openRaw(port)))
  // Each request takes a descriptor for its backend, until there is none.
  for (const client of clients) client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  const responses = () => clients.flatMap(({ received }) => (received === '' ? [] : parseAnswers(received)))
  await expect.poll(() => responses().length, { timeout: 8_000 }).toBeGreaterThan(0)
  const [first] = responses()
  expect(first?.status).toBe(503)
  expect(first === undefined ? [] : valuesOf(first.lines, 'retry-after')).toEqual(['1'])
  for (const client of clients) client.socket.destroy()
  w1.script = echo
  w2.script = echo
  await expect.poll(async () => (await ask(port)).status, { timeout: 8_000 }).toBe(200)
  const ids = new Set([(await ask(port)).echo.id, (await ask(port)).echo.id])
  expect(ids).toEqual(new Set(['w1', 'w2']))
})

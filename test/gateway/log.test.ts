import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startBackend } from '../support/backend.ts'
import { freePort } from '../support/free-port.ts'
import { fileOf } from '../support/gateway-file.ts'
import { GATEWAY_PROGRAM } from '../support/gateway-process.ts'
import { ask } from '../support/http-client.ts'

/** A log that cannot be written. */

/** Lines of this many requests are more than a pipe can hold. */
const SOME = 200
const CLIENTS = 20

interface Running {
  readonly child: ChildProcess
  readonly port: number
  readonly adminPort: number
}

/** The command, with this for its standard output, which is not read. Settles when it serves. */
async function startUnread(workers: number, stdout: 'pipe' | number): Promise<Running> {
  const w1 = await startBackend('w1')
  const [port, adminPort] = [await freePort(), await freePort()]
  const more = {
    workers,
    listen: `127.0.0.1:${port}`,
    admin: { listen: `127.0.0.1:${adminPort}` },
    shutdownGrace: '200ms',
  }
  const folder = mkdtempSync(join(tmpdir(), 'limpet-'))
  const file = join(folder, 'limpet.yaml')
  writeFileSync(file, JSON.stringify(fileOf([w1], more)))
  const child = spawn(process.execPath, [GATEWAY_PROGRAM, '--config', file], {
    stdio: ['ignore', stdout, 'inherit'],
  })
  onTestFinished(async () => {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    rmSync(folder, { recursive: true, force: true })
  })
  const status = async (): Promise<number> => (await ask(adminPort, { path: '/healthz' })).status
  await expect.poll(async () => status().catch(() => 0)).toBe(200)
  return { child, port, adminPort }
}

/** Makes SOME requests. @returns their statuses */
async function askOften(port: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS })
  onTestFinished(() => agent.destroy())
  const statuses = new Set<number>()
  // Both are in a line.
  const asked = { path: `/${'x'.repeat(250)}`, headers: { Host: 'h'.repeat(250) }, agent }
  const askSome = async (): Promise<void> => {
    for (let count = 0; count < SOME / CLIENTS; count += 1) {
      const { status } = await ask(port, asked)
      statuses.add(status)
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, askSome))
  return [...statuses]
}

/** How many lines of its log it has dropped. */
async function droppedBy({ adminPort }: Running): Promise<number> {
  const { text } = await ask(adminPort, { path: '/stats.json' })
  return (JSON.parse(text) as { gateway: { logDropped: number } }).gateway.logDropped
}

async function expectEnds({ child }: Running): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  expect(await exited).toEqual([0, null])
}

describe.each([1, 2])('limpet with workers: %i', { timeout: 60_000 }, workers => {
  test('serves while its log is not read, counts what it drops, and tells', async () => {
    const running = await startUnread(workers, 'pipe')
    let dropped = 0
    while (dropped === 0) {
      expect(await askOften(running.port)).toEqual([200])
      dropped = await droppedBy(running)
    }
    const { stdout } = running.child
    if (stdout === null) throw new Error('no pipe')
    let told = 0
    for await (const line of createInterface(stdout)) {
      const { event, count } = JSON.parse(line) as { event: string; count: number }
      if (event === 'log_dropped') told += count
      // Lines may have been dropped since the figures were read.
      if (told >= dropped) break
    }
    expect(told).toBeGreaterThanOrEqual(dropped)
  })
})

describe('limpet', { timeout: 60_000 }, () => {
  test('ends while its log is not read', async () => {
    const running = await startUnread(1, 'pipe')
    await askOften(running.port)
    await expectEnds(running)
  })

  test('goes on when the reader of its log has gone', async () => {
    const running = await startUnread(1, 'pipe')
    running.child.stdout?.destroy()
    expect(await askOften(running.port)).toEqual([200])
    await expectEnds(running)
  })

  test('goes on when its disk is full', async () => {
    const full = openSync('/dev/full', 'w')
    onTestFinished(() => closeSync(full))
    const running = await startUnread(1, full)
    expect(await askOften(running.port)).toEqual([200])
    await expectEnds(running)
  })
})

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BackendOptions } from '@limpet/core'
import { onTestFinished } from 'vitest'

const SCRIPTS = {
  /** Carts in its own memory. */
  shop: fileURLToPath(new URL('../../examples/shop/backend.ts', import.meta.url)),
  /** Carts in files that all of them share. */
  shared: fileURLToPath(new URL('shared-shop.ts', import.meta.url)),
}

/** A shop in a process of its own. */
export interface ExampleShop {
  readonly id: string
  readonly port: number
  readonly pid: number
  readonly options: BackendOptions
  kill(): Promise<void>
}

/** @param args more of its command line */
async function startExampleShop(
  kind: keyof typeof SCRIPTS,
  id: string,
  args: readonly string[] = [],
): Promise<ExampleShop> {
  const child = fork(SCRIPTS[kind], [id, '0', ...args], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const exited = once(child, 'exit')
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  return {
    id,
    port,
    pid: child.pid ?? 0,
    options: { id, url: `http://127.0.0.1:${port}` },
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}

/** Three of them, ended with the test. */
export async function startExampleShops(kind: 'shop' | 'shared'): Promise<readonly ExampleShop[]> {
  const folder = mkdtempSync(join(tmpdir(), 'limpet-carts-'))
  const shops = await Promise.all(
    ['shop1', 'shop2', 'shop3'].map(async id => startExampleShop(kind, id, [folder])),
  )
  onTestFinished(async () => {
    await Promise.all(shops.map(async shop => shop.kill()))
    rmSync(folder, { recursive: true, force: true })
  })
  return shops
}

import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import { serve } from './serve.ts'

/** Runs the `limpet` command on Fastify in this process, which can be asked how it is doing. */
export async function runCommand(access: boolean): Promise<void> {
  const free = createServer().listen(0, '127.0.0.1')
  await once(free, 'listening')
  const { port } = free.address() as AddressInfo
  free.close()
  await once(free, 'close')

  const folder = mkdtempSync(join(tmpdir(), 'limpet-bench-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'limpet.json')
  writeFileSync(
    file,
    JSON.stringify({
      log: { access },
      listen: `127.0.0.1:${port}`,
      secrets: ['bench-0123456789abcdefghijklmnopqrstuvwxyz'],
      pools: {
        web: {
          backends: process.argv.slice(2).map((url, index) => ({ id: `w${index + 1}`, url })),
          affinity: [{ cookie: { maxIdle: '30m', maxLife: '8h' } }],
        },
      },
    }),
  )
  // A log is written, but not to the terminal of the bench.
  closeSync(1)
  openSync('/dev/null', 'w')
  process.argv.splice(2, Infinity, '--config', file)
  await import(new URL('../../../packages/gateway/dist/main.js', import.meta.url).href)
  const url = `http://127.0.0.1:${port}`
  while (
    !(await fetch(url).then(
      () => true,
      () => false,
    ))
  );
  serve(url)
}

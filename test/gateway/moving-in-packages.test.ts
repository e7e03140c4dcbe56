import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { limpetHere } from '../support/limpet-command.ts'

/** The files that Debian's packages of HAProxy, nginx and Caddy install, where they are: each project's own examples. */
const FILES = globSync([
  '/usr/share/doc/haproxy/examples/*.cfg',
  '/etc/haproxy/haproxy.cfg',
  '/etc/nginx/nginx.conf',
  '/etc/caddy/Caddyfile',
]).toSorted()

/** Whether `limpet check` takes a file, apart from its secrets. */
async function isGood(text: string): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'limpet-moved-in-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'limpet.yaml')
  writeFileSync(file, text)
  return (await limpetHere(['check', file, '--without-secrets'])).code === 0
}

describe.skipIf(FILES.length === 0)('limpet from, of files in packages of other servers', () => {
  test.each(FILES)('%s has a good file or a reason, and a line for each finding', async path => {
    const { code, out, error } = await limpetHere(['from', path])
    expect([0, 1, 2]).toContain(code)
    expect(error).not.toMatch(/^ +at /m)
    // 2: no file; 1: a file, and a report of the lines that it does not take.
    expect(out === '').toBe(code === 2)
    expect(error.includes('to correct by hand') || (await isGood(out)) || code === 2).toBe(true)
    const found = error.split('\n').filter(text => text.startsWith(`  ${path}:`))
    expect(found.length > 0 || code === 0).toBe(true)
    const source = readFileSync(path, 'utf8').split('\n')
    for (const row of found) {
      const [number = ''] = row.slice(path.length + 3).split(':', 1)
      const line = source[Number(number) - 1]?.trim() ?? ''
      expect([number, line]).toEqual([number, expect.stringMatching(/^[^#\s]/)])
    }
  })
})

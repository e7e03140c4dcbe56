import { globSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { limpetHere } from '../support/limpet-command.ts'

/** The files that Debian's packages of HAProxy, nginx and Caddy install, where they are: each project's own examples. */
const FILES = globSync([
  '/usr/share/doc/haproxy/examples/*.cfg',
  '/etc/haproxy/haproxy.cfg',
  '/etc/nginx/nginx.conf',
  '/etc/caddy/Caddyfile',
]).toSorted()

describe.skipIf(FILES.length === 0)('limpet from, of files in packages of other servers', () => {
  test.each(FILES)('%s has a file or a reason, and a line for each finding', async path => {
    const { code, out, error } = await limpetHere(['from', path])
    expect([0, 1, 2]).toContain(code)
    // 2: no file; 1: a file, and a report of the lines that it does not take.
    expect(out === '').toBe(code === 2)
    expect(error === '').toBe(code === 0)
    expect(error).not.toMatch(/^ +at /m)
    expect((parse(out) as { pools?: object } | null)?.pools === undefined).toBe(code === 2)
    const source = readFileSync(path, 'utf8').split('\n')
    for (const row of error.split('\n').filter(text => text.startsWith(`  ${path}:`))) {
      const [number = ''] = row.slice(path.length + 3).split(':', 1)
      const line = source[Number(number) - 1]?.trim() ?? ''
      expect([number, line]).toEqual([number, expect.stringMatching(/^[^#\s]/)])
    }
  })
})

import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { limpet } from '../support/limpet-command.ts'

/** Where the command keeps compiled modules; `folder` is empty before. */
function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'limpet-cache-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const NONE = { NODE_COMPILE_CACHE: '', CACHE_DIRECTORY: '', XDG_CACHE_HOME: '', HOME: '' }

test.each([
  ['NODE_COMPILE_CACHE', ''],
  ['CACHE_DIRECTORY', ''],
  ['XDG_CACHE_HOME', 'limpet'],
  ['HOME', '.cache/limpet'],
])('keeps compiled modules in the folder of %s', async (name, within) => {
  const folder = emptyFolder()
  await limpet(['--version'], { ...NONE, [name]: folder })
  expect(readdirSync(join(folder, within))).not.toEqual([])
})

test('keeps nothing in the folder for temporary files', async () => {
  const folder = emptyFolder()
  const { code } = await limpet(['--version'], { ...NONE, TMPDIR: folder })
  expect([code, readdirSync(folder)]).toEqual([0, []])
})

test('works where nothing can be kept, and keeps nothing where Node is told so', async () => {
  expect((await limpet(['--version'], { ...NONE, HOME: '/dev/null' })).code).toBe(0)
  const folder = emptyFolder()
  await limpet(['--version'], { ...NONE, HOME: folder, NODE_DISABLE_COMPILE_CACHE: '1' })
  expect(existsSync(join(folder, '.cache'))).toBe(false)
})

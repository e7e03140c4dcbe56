import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

const SCRIPT = join(import.meta.dirname, '../../.ci/check-prose.mjs')

/** The passages that the check refuses in a file of this name and text, as `line: word`. */
function refused(name: string, text: string): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), 'prose-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, name)
  writeFileSync(file, text)
  const { status, stderr } = spawnSync(process.execPath, [SCRIPT, file], { encoding: 'utf8' })
  const found = [...stderr.matchAll(/:(\d+): "([^"]+)" in: /g)].map(([, line, word]) => `${line}: ${word}`)
  expect(status).toBe(found.length === 0 ? 0 : 1)
  return found
}

// In halves: the check reads this file as well.
const NO = 'no'.concat('body')
const HIS = 'hi'.concat('s')
const WHAT = 'Wha'.concat('t')
const THING = `${WHAT} waits`

test('a word for a person, or a sentence without a subject, is refused', () => {
  const text = `# Title\n\n- It serves ${NO}.\n\nThe client closes ${HIS} socket.\n${THING} is served. It is: ${THING}.\n`
  expect(refused('a.md', text)).toEqual([`3: ${NO}`, `5: ${HIS}`, `6: ${WHAT}`])
})

test('table cells, list items and bold text are read, each by itself', () => {
  const text = `| a | b |\n| --- | --- |\n| x | ${THING} |\n\n1. **${THING}** comes.\n- It is ${NO}'s.\n`
  expect(refused('a.md', text)).toEqual([`3: ${WHAT}`, `5: ${WHAT}`, `6: ${NO}`])
})

test('questions, quotations and code are left alone', () => {
  const text = `${THING}?\n\nThe error is "${NO} there" or “${NO}”, and \`${NO}\`.\n\n\`\`\`ts\n// ${NO}\n\`\`\`\n`
  expect(refused('a.md', text)).toEqual([])
})

test('comments, messages and test names are read in source, identifiers and single words are not', () => {
  const text = [
    `/**`,
    ` * ${THING} is served.`,
    ` */`,
    `const ${NO} = '${NO}' // the ${NO} of it`,
    `const text = \`first line`,
    `of ${NO}, \${${NO}}\``,
    `it('serves ${NO}', () => {})`,
  ].join('\n')
  expect(refused('a.ts', text)).toEqual([`2: ${WHAT}`, `4: ${NO}`, `6: ${NO}`, `7: ${NO}`])
})

test('a source file that does not parse is an error', () => {
  const folder = mkdtempSync(join(tmpdir(), 'prose-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'a.ts'), 'const = 1')
  const { status, stderr } = spawnSync(process.execPath, [SCRIPT, join(folder, 'a.ts')], { encoding: 'utf8' })
  expect([status, stderr]).toEqual([1, expect.stringContaining('a.ts could not be read')])
})

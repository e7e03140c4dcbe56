// Holds the prose to plain English: a subject is a named thing.
//
// Reads every tracked Markdown file, and the comments and text literals of every tracked source file. Code, quotations
// and the lines listed in prose-allowed.txt (the text of one line each) are left out.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseSync } from 'oxc-parser'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const allowed = new Set(
  readFileSync(join(root, '.ci/prose-allowed.txt'), 'utf8')
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '' && !line.startsWith('#')),
)

/** What is refused, and what to write in its place. */
const RULES = [
  {
    pattern: /\b(?:nobody|somebody|anybody|everybody|whoever|whomever|whatsoever|nobody's|somebody's)\b/i,
    advice: 'name the thing: the backend, the request, the client',
  },
  { pattern: /\b(?:he|him|his|himself|whom)\b/i, advice: 'a program is "it"; name the thing' },
  {
    pattern: /(?:^|[.;:] )(?:What|Who|Whose|Whom)\b(?![^.?!]*\?)/,
    advice: 'begin with the thing itself, not with a relative clause',
  },
]

const problems = files().flatMap(file => {
  const text = readFileSync(join(root, file), 'utf8')
  const passages = file.endsWith('.md') ? markdown(text) : source(file, text)
  return passages.flatMap(({ line, words }) => judged(file, line, words))
})
for (const problem of problems) console.error(problem)
if (problems.length > 0) {
  console.error(`${problems.length} passages are not plain English; see "Prose" in CONTRIBUTING.md`)
  process.exitCode = 1
}

function judged(file, line, words) {
  if (allowed.has(words.trim())) return []
  const plain = words.replace(/`[^`]*`/g, '').replace(/"[^"]*"|“[^”]*”/g, '')
  return RULES.flatMap(({ pattern, advice }) => {
    const found = pattern.exec(plain)
    return found === null ? [] : [`${file}:${line}: "${found[0].trim()}" in: ${words.trim()}\n    ${advice}`]
  })
}

function files() {
  const { stdout, status } = spawnSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' })
  if (status !== 0) throw new Error('git ls-files failed: the prose check reads tracked files only')
  return stdout.split('\0').filter(file => /\.(?:md|ts|mjs)$/.test(file) && !file.endsWith('CHANGELOG.md'))
}

/** The lines outside of fenced code. */
function markdown(text) {
  let isFenced = false
  return text.split('\n').flatMap((words, index) => {
    if (/^\s*(?:```|~~~)/.test(words)) {
      isFenced = !isFenced
      return []
    }
    return isFenced ? [] : [{ line: index + 1, words }]
  })
}

/** The lines of the comments, and the literals that hold a sentence. */
function source(file, text) {
  const { program, comments, errors } = parseSync(file, text)
  if (errors.length > 0) throw new Error(`${file} could not be read: ${errors[0].message}`)
  const passages = comments.flatMap(({ value, start }) =>
    value.split('\n').map((words, index) => ({
      line: lineOf(text, start) + index,
      words: words.replace(/^\s*\*?\s?/, ''),
    })),
  )
  for (const node of literals(program)) {
    const words = node.type === 'TemplateElement' ? node.value.raw : node.value
    if (typeof words !== 'string' || !words.trim().includes(' ')) continue
    const first = lineOf(text, node.start)
    passages.push(...words.split('\n').map((one, index) => ({ line: first + index, words: one })))
  }
  return passages
}

function* literals(node) {
  if (node === null || typeof node !== 'object') return
  if (Array.isArray(node)) {
    for (const one of node) yield* literals(one)
    return
  }
  if (node.type === 'Literal' || node.type === 'TemplateElement') yield node
  for (const key of Object.keys(node)) yield* literals(node[key])
}

function lineOf(text, offset) {
  return text.slice(0, offset).split('\n').length
}

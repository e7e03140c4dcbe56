// Checks the prose: the subject of a sentence is a named thing. See "Prose" in CONTRIBUTING.md.
//
// Reads the given files, or every tracked Markdown file and source file: of Markdown the text, of source the comments
// and the literals that contain a blank. Code, quotations and the lines of prose-allowed.txt are left out.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseSync } from 'oxc-parser'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Refused patterns, and advice for each. */
const RULES = [
  {
    pattern: /\b(?:nobody|somebody|anybody|everybody|whoever|whomever)\b/i,
    advice: 'name the thing: the backend, the request, the client',
  },
  { pattern: /\b(?:he|him|his|himself|whom)\b/i, advice: 'a program is "it"; name the thing' },
  {
    pattern: /(?:^|[.;:] )(?:What|Who|Whose|Whom)\b(?![^.?!]*\?)/,
    advice: 'begin with the thing itself, not with a relative clause',
  },
]

/** Code and quotations: none of it is our own prose. */
const QUOTED = /`[^`]*`|"[^"]*"|“[^”]*”/g

const allowed = new Set(
  readFileSync(join(root, '.ci/prose-allowed.txt'), 'utf8')
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '' && !line.startsWith('#')),
)

const given = process.argv.slice(2).map(file => resolve(file))
const problems = (given.length > 0 ? given : trackedFiles()).flatMap(file => {
  const text = readFileSync(resolve(root, file), 'utf8')
  const passages = file.endsWith('.md') ? markdown(text) : source(file, text)
  return passages.flatMap(({ line, words }) => problemsOf(file, line, words))
})
for (const problem of problems) console.error(problem)
if (problems.length > 0) {
  console.error(`${problems.length} passages are not plain English; see "Prose" in CONTRIBUTING.md`)
  // Not exit(): it would cut the output to a pipe.
  process.exitCode = 1
}

/**
 * @param {string} file
 * @param {number} line
 * @param {string} words
 */
function problemsOf(file, line, words) {
  const passage = words.trim()
  if (allowed.has(passage)) return []
  const own = passage.replace(QUOTED, '')
  return RULES.flatMap(({ pattern, advice }) => {
    const found = pattern.exec(own)
    return found === null ? [] : [`${file}:${line}: "${found[0].trim()}" in: ${passage}\n    ${advice}`]
  })
}

/** Changelogs and changesets that were released stay as they are. */
function trackedFiles() {
  const { stdout, status } = spawnSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' })
  if (status !== 0) throw new Error('git ls-files failed: the prose check reads tracked files only')
  return stdout.split('\0').filter(file => /\.(?:md|ts|mjs)$/.test(file) && !file.endsWith('CHANGELOG.md'))
}

/**
 * The lines outside of fenced code, without list, heading and table marks.
 * @param {string} text
 */
function markdown(text) {
  let isFenced = false
  return text.split('\n').flatMap((words, index) => {
    if (/^\s*(?:```|~~~)/.test(words)) {
      isFenced = !isFenced
      return []
    }
    if (isFenced) return []
    return words
      .split('|')
      .map(cell => ({ line: index + 1, words: cell.replace(/^\s*(?:[-*>#]+|\d+\.)?[\s*]*/, '') }))
  })
}

/**
 * The lines of comments, and of literals that contain a blank.
 * @param {string} file
 * @param {string} text
 */
function source(file, text) {
  const { program, comments, errors } = parseSync(file, text)
  if (errors.length > 0) throw new Error(`${file} could not be read: ${errors[0].message}`)
  const literals = [...literalsIn(program)]
    .map(({ type, value, start }) => ({ start, value: type === 'TemplateElement' ? value.raw : value }))
    .filter(({ value }) => typeof value === 'string' && value.trim().includes(' '))
  return [...comments, ...literals].flatMap(({ value, start }) => {
    const first = text.slice(0, start).split('\n').length
    return value
      .split('\n')
      .map((words, index) => ({ line: first + index, words: words.replace(/^\s*\*?\s?/, '') }))
  })
}

/** @returns {Generator<any>} */
function* literalsIn(node) {
  if (node === null || typeof node !== 'object') return
  if (node.type === 'Literal' || node.type === 'TemplateElement') yield node
  for (const child of Array.isArray(node) ? node : Object.values(node)) yield* literalsIn(child)
}

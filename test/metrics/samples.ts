import { spawnSync } from 'node:child_process'
import { expect } from 'vitest'

type Labels = Readonly<Record<string, string>>

const COMMENT = /^# (?:HELP [a-z_]+ \S.*|TYPE (?<name>[a-z_]+) (?<type>counter|gauge|histogram))$/
const SAMPLE =
  /^(?<name>[a-z_]+)\{(?<labels>(?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)+)\} (?<value>\d+(?:\.\d+)?(?:e[+-]\d+)?)$/
const LABEL = /([a-z]+)="((?:[^"\\]|\\.)*)"/g

/**
 * Reads a text of the format 0.0.4 line by line, and gives it to `promtool` where that is installed.
 * @returns the value of a sample, by its name and all of its labels
 */
export function samplesOf(text: string): (name: string, labels: Labels) => number | undefined {
  expect(promtool(text)).toBe('')
  const values = new Map<string, number>()
  const families = new Set<string>()
  let family = ''
  for (const line of text.trimEnd().split('\n')) {
    const comment = COMMENT.exec(line)?.groups
    const sample = SAMPLE.exec(line)?.groups
    if (comment?.['name'] !== undefined) {
      family = comment['name']
      expect(families).not.toContain(family)
      families.add(family)
    } else if (sample !== undefined) {
      const { name = '', labels = '', value } = sample
      // All samples of a family stand together, and each stands once.
      expect([family, `${family}_bucket`, `${family}_sum`, `${family}_count`]).toContain(name)
      const key = keyOf(
        name,
        Object.fromEntries([...labels.matchAll(LABEL)].map(([, word = '', said = '']) => [word, said])),
      )
      expect(values.has(key)).toBe(false)
      values.set(key, Number(value))
    } else if (comment === undefined) {
      throw new Error(`not a line of the format: ${line}`)
    }
  }
  return (name, labels) => values.get(keyOf(name, labels))
}

function keyOf(name: string, labels: Labels): string {
  const sorted = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([name, sorted])
}

/** The complaints of `promtool check metrics`; none where it is not installed. */
function promtool(text: string): string {
  const { error, status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: text,
    encoding: 'utf8',
  })
  if (error !== undefined && 'code' in error && error.code === 'ENOENT') return ''
  return status === 0 ? '' : `${stdout}${stderr}`
}

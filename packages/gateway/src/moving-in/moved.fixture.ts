import { parse } from 'yaml'
import type { Format } from './format.ts'
import { moveIn } from './move-in.ts'

/** The result of `limpet from` for a file: limpet's file, and its report, a line for each finding. */
export function moved(format: Format, text: string) {
  const { text: file, report, problems } = moveIn('file', text, format)
  const linesOf = (kind: string): readonly string[] =>
    report.findings.filter(one => one.kind === kind).map(({ line, what }) => `${line} ${what}`)
  return {
    file: parse(file),
    lost: linesOf('lost'),
    changed: linesOf('changed'),
    problems,
    text: file + JSON.stringify(report.findings),
  }
}

import { writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { parseSettings, type Settings } from './arguments.ts'
import { FORMATS, formatOf } from './format.ts'
import { HELP } from './help.ts'
import { readInput } from './input.ts'
import { type MovedIn, moveIn } from './move-in.ts'
import { type Finding, NothingTakenError, lineOf } from './report.ts'
import { BrokenFileError } from './statement.ts'
import { UsageError } from '../cli/usage-error.ts'
import type { Terminal } from '../cli/terminal.ts'

const INCOMPLETE = 1
const USAGE = 2

/**
 * Runs `limpet from`.
 * @param args behind `from`
 * @returns the exit code: 0 when all was taken, 1 when something was not, 2 when there is no file
 */
export function runFrom(args: readonly string[], terminal: Terminal): number {
  try {
    const settings = parseSettings(args)
    if (settings === 'help') {
      terminal.out(HELP)
      return 0
    }
    const text = readInput(settings.file)
    const format = settings.format ?? formatOf(settings.file, text)
    if (format === undefined)
      throw new UsageError(`${settings.file} is of no known server; --format takes ${FORMATS.join(', ')}`)
    const moved = movedIn(settings, text, format, terminal)
    write(settings, moved.text, terminal)
    tell(settings, moved, terminal)
    return moved.report.isComplete && moved.problems.length === 0 ? 0 : INCOMPLETE
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    terminal.error(`limpet from: ${lineOf(error.message, 300)}\nlimpet from --help lists the options\n`)
    return USAGE
  }
}

function movedIn(
  settings: Settings,
  text: string,
  format: (typeof FORMATS)[number],
  terminal: Terminal,
): MovedIn {
  try {
    return moveIn(basename(settings.file), text, format)
  } catch (error) {
    if (!(error instanceof BrokenFileError)) throw error
    if (error instanceof NothingTakenError) tellFindings(settings, error.findings, terminal)
    throw new UsageError(`${settings.file} as a file of ${format}: ${error.message}`, { cause: error })
  }
}

/** Never over a file that is there, unless that is asked for. */
function write({ out, force }: Settings, text: string, terminal: Terminal): void {
  if (out === undefined) {
    terminal.out(text)
    return
  }
  try {
    writeFileSync(out, text, { flag: force ? 'w' : 'wx' })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why =
      code === 'EEXIST' ? 'exists; --force overwrites it' : `cannot be written (${code ?? 'unknown'})`
    throw new UsageError(`${out} ${why}`, { cause: error })
  }
}

function tell(settings: Settings, { report, problems }: MovedIn, terminal: Terminal): void {
  const { findings } = report
  tellFindings(settings, findings, terminal)
  if (problems.length > 0)
    terminal.error(
      `to correct by hand, or limpet check refuses the file:\n${problems.map(text => `  ${lineOf(text, 300)}\n`).join('')}`,
    )
  if (findings.length === 0 && problems.length === 0) terminal.error(`all of ${settings.file} was taken\n`)
}

function tellFindings({ file }: Settings, findings: readonly Finding[], { error }: Terminal): void {
  list(
    'not taken',
    findings.filter(({ kind }) => kind === 'lost'),
  )
  list(
    'works differently',
    findings.filter(({ kind }) => kind === 'changed'),
  )

  function list(title: string, some: readonly Finding[]): void {
    if (some.length === 0) return
    error(`${title}:\n${some.map(({ line, what, why }) => `  ${file}:${line}: ${what}: ${why}\n`).join('')}`)
  }
}

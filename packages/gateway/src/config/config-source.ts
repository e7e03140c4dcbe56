import { LineCounter, parseDocument } from 'yaml'
import { type AdapterName, ConfigError, type ConfigSource, type ReloadTrigger } from './config.ts'
import { readText } from './secret-ref.ts'
import { syntaxProblem } from './syntax-problem.ts'

/** @throws ConfigError when there is no such file */
export function readSource(file: string, adapter?: AdapterName, reload?: ReloadTrigger): ConfigSource {
  return { file, text: textOf(file), adapter, reload, kept: undefined }
}

function textOf(file: string): string {
  try {
    return readText(file)
  } catch (error) {
    throw new ConfigError([{ path: '', text: (error as Error).message }])
  }
}

/** A file with more errors than these has one cause for most of them. */
const MAX_ERRORS = 20

/** The value of a text, YAML or JSON. @throws ConfigError with the places that are neither */
export function parseText(text: string): unknown {
  const lines = new LineCounter()
  // Warnings would go to the standard error, with parts of the text.
  const document = attempt(() =>
    parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' }),
  )
  if (document.errors.length > 0) {
    throw new ConfigError(
      document.errors.slice(0, MAX_ERRORS).map(({ code, message, pos: [start] }) => {
        const { line, col } = lines.linePos(start)
        return { path: '', text: `line ${line}, column ${col}: ${syntaxProblem(code, message)}` }
      }),
    )
  }
  const value = attempt((): unknown => document.toJS({ maxAliasCount: 100 }))
  if (value === null || value === undefined)
    throw new ConfigError([{ path: '', text: 'the file is empty; it takes at least pools' }])
  return value
}

function attempt<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    const name = error instanceof Error ? error.name : typeof error
    throw new ConfigError([{ path: '', text: `${ABORTED[name] ?? 'it is not YAML'} (${name})` }])
  }
}

/** The messages of errors that are thrown have parts of the file in them. */
const ABORTED: Readonly<Record<string, string>> = {
  RangeError: 'it is nested too deeply',
  ReferenceError: 'it has an alias without its anchor, or too many aliases',
}

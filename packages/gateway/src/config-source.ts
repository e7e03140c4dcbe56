import { LineCounter, parseDocument } from 'yaml'
import { type AdapterName, ConfigError, type ConfigSource } from './config.ts'
import { readText } from './kept-elsewhere.ts'

/** @throws ConfigError when there is no such file */
export function readSource(file: string, adapter?: AdapterName): ConfigSource {
  return { file, text: attempt(() => readText(file)), adapter, kept: undefined }
}

/** What a text says, YAML or JSON. @throws ConfigError with the places that are neither */
export function parseText(text: string): unknown {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  if (document.errors.length > 0) {
    throw new ConfigError(
      document.errors.map(({ message, pos: [start] }) => {
        const { line, col } = lines.linePos(start)
        return { path: '', text: `line ${line}, column ${col}: ${message}` }
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
    throw new ConfigError([{ path: '', text: (error as Error).message }])
  }
}

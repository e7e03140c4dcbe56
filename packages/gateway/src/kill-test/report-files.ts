import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { UsageError } from '../cli/usage-error.ts'
import { htmlOf } from './report-html.ts'
import { junitOf } from './report-junit.ts'
import type { Report } from './report.ts'
import type { ReportFormat, Settings } from './settings.ts'

const WRITERS: Readonly<Record<ReportFormat, (report: Report) => string>> = {
  json: report => `${JSON.stringify(report, null, 2)}\n`,
  junit: junitOf,
  html: htmlOf,
}

/** The files of a test's reports. They are made before the test: one that cannot be written is known then. */
export class ReportFiles {
  readonly #files: Settings['files']

  /** @throws UsageError when a file cannot be written, or exists and may not be overwritten; then none is left behind */
  constructor(files: Settings['files'], force: boolean) {
    this.#files = files
    const made: string[] = []
    for (const [format, file] of Object.entries(files)) {
      try {
        closeSync(openSync(file, force ? 'a' : 'wx'))
        if (!force) made.push(file)
      } catch (error) {
        for (const other of made) rmSync(other)
        const { code = 'unknown' } = error as NodeJS.ErrnoException
        const why = code === 'EEXIST' ? 'exists; --force overwrites it' : `cannot be written (${code})`
        throw new UsageError(`--${format} ${file} ${why}`, { cause: error })
      }
    }
  }

  write(report: Report): void {
    for (const [format, file] of Object.entries(this.#files))
      writeFileSync(file, WRITERS[format as ReportFormat](report))
  }
}

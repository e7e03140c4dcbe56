// Compares the exported API of each package with its report in packages/*/api, which a reviewer reads.
//
//   node .ci/api.mjs           fails when a report differs from the built declarations
//   node .ci/api.mjs --write   writes the reports: npm run api

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const writes = process.argv.includes('--write')
const scratch = mkdtempSync(join(tmpdir(), 'api-'))

try {
  const changed = entries().filter(entry => hasChanged(entry))
  for (const { folder, report } of changed)
    console.error(
      `packages/${folder}/api/${report} ${writes ? 'was written' : 'is not the API of the package'}`,
    )
  if (changed.length > 0 && !writes) {
    console.error('The API has changed: write the reports by npm run api, and commit them with the change.')
    process.exitCode = 1
  }
} finally {
  rmSync(scratch, { recursive: true })
}

/** Every entry of every package that has declarations. */
function entries() {
  const folders = readdirSync(join(root, 'packages'))
  return folders.flatMap(folder => {
    const { exports } = JSON.parse(readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8'))
    return Object.entries(exports).flatMap(([name, { types }]) => {
      if (types === undefined) return []
      const report = `${[folder, basename(name)].filter(part => part !== '.').join('-')}.api.md`
      return [{ folder, types, report }]
    })
  })
}

/** @param {{ folder: string, types: string, report: string }} entry */
function hasChanged({ folder, types, report }) {
  const projectFolder = join(root, 'packages', folder)
  if (writes) mkdirSync(join(projectFolder, 'api'), { recursive: true })
  const config = ExtractorConfig.prepare({
    configObject: {
      projectFolder,
      mainEntryPointFilePath: join(projectFolder, types),
      // It reads declarations with the TypeScript that it brings along, which needs no more than these.
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target: 'esnext',
            lib: ['esnext'],
            module: 'nodenext',
            strict: true,
            skipLibCheck: true,
            typeRoots: [join(root, 'node_modules/@types')],
            types: ['node'],
          },
          files: [join(projectFolder, types)],
        },
      },
      newlineKind: 'lf',
      apiReport: {
        enabled: true,
        includeForgottenExports: true,
        reportFileName: report,
        reportFolder: join(projectFolder, 'api'),
        reportTempFolder: scratch,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      // The compiler and the linter check the code; here the report alone counts.
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
        extractorMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(projectFolder, 'package.json'),
  })
  const { apiReportChanged, errorCount } = Extractor.invoke(config, {
    localBuild: writes,
    messageCallback(message) {
      message.handled = message.logLevel !== ExtractorLogLevel.Error
    },
  })
  if (errorCount > 0) throw new Error(`the declarations of packages/${folder} (${types}) are wrong`)
  return apiReportChanged
}

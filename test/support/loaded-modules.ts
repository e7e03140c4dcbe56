import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

const PROBE = `
import { writeFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
const loaded = new Set()
registerHooks({ load: (url, context, next) => { loaded.add(url); return next(url, context) } })
process.on('exit', () => writeFileSync(process.env.LIMPET_LOADED_MODULES, [...loaded].join('\\n')))
`

/** Notes the modules that a Node process loads, from its start to its end. */
export class LoadedModules {
  /** The environment of the process. */
  readonly environment: NodeJS.ProcessEnv
  readonly #file: string

  constructor() {
    const folder = mkdtempSync(join(tmpdir(), 'limpet-modules-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    this.#file = join(folder, 'modules')
    this.environment = {
      NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(PROBE)}`,
      LIMPET_LOADED_MODULES: this.#file,
    }
  }

  /** Loaded files by their package, when the process has ended. Modules of Node are left out. */
  get byPackage(): ReadonlyMap<string, readonly string[]> {
    const urls = readFileSync(this.#file, 'utf8').split('\n')
    return Map.groupBy(
      urls.filter(url => url.startsWith('file:')),
      packageOf,
    )
  }
}

/** A package of the repository is `@limpet/` and the name of its folder. */
function packageOf(url: string): string {
  const [, installed] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url) ?? []
  const [, folder] = /\/packages\/([^/]+)\//.exec(url) ?? []
  return installed ?? (folder === undefined ? url : `@limpet/${folder}`)
}

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

interface PackageUse {
  /** The framework's package, and the name that a program gives it. */
  readonly framework: readonly [name: string, local: string]
  /** The package of ours. */
  readonly adapter: string
  /** The program, below its imports. */
  readonly use: string
}

/** Programs that use an adapter: the name of each, as a test has it, and its arguments of Node. */
export function packagePrograms({ framework, adapter, use }: PackageUse) {
  const [name, local] = framework
  const imported = `
    import ${local} from '${name}'
    import limpet, { limpet as named } from '${adapter}'
    if (limpet !== named) throw new Error('two functions')
    ${use}`
  const required = `
    const ${local} = require('${name}')
    const limpet = require('${adapter}')
    const { refuseUpgrade, guardServer, SERVER_OPTIONS } = limpet
    if ([refuseUpgrade, guardServer, SERVER_OPTIONS].includes(undefined)) throw new Error('not all of it')
    if (limpet !== limpet.limpet || limpet !== limpet.default) throw new Error('two functions')
    ${use}`
  return [
    ['imported, by its default or by name', ['--input-type=module', '-e', imported]],
    ['required, and is the function itself', ['-e', required]],
  ] as const
}

/** The output of a program that has to end by itself. @param cwd the folder whose packages it finds */
export async function outputOf(
  args: readonly string[],
  cwd: string,
): Promise<{ stdout: string; stderr: string }> {
  // Without NODE_ENV it is development, and a framework shows all it knows.
  const env = { ...process.env, NODE_ENV: undefined }
  return promisify(execFile)(process.execPath, args, { cwd, env, timeout: 5_000 })
}

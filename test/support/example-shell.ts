import { execFile } from 'node:child_process'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** The standard output of a line of an example's first page, run in the repository's folder. Rejects if it fails. */
export async function runLine(line = ''): Promise<string> {
  const { PATH, NODE_COMPILE_CACHE } = process.env
  const env = { PATH: `${dirname(process.execPath)}:${PATH}`, NODE_COMPILE_CACHE }
  const { stdout } = await promisify(execFile)('sh', ['-c', line], { cwd: ROOT, env })
  return stdout
}

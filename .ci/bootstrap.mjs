// Makes node_modules match the lockfile before any script runs.
//
// It is started by whatever Node happens to be installed, with npm beside it, so it uses built-in modules only and
// nothing newer than Node 18. pnpm comes through npx in the version that package.json names, and pnpm brings the
// Node that everything else runs on (optionalDependencies: node-linux-*), which npm and turbo find first on the PATH.
//
// An install is a few hundred milliseconds even when there is nothing to do, and needs the network when there is, so
// it is skipped while the files that decide its outcome are the ones that the last complete install saw.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const stamp = join(root, 'node_modules/.bootstrap')

const manifests = ['.', 'test', 'test/apps/programs', ...foldersIn('packages'), ...foldersIn('examples')]
  .map(folder => join(root, folder, 'package.json'))
  .filter(file => existsSync(file))

if (!installed()) {
  install()
  // pnpm believes its own notes about node_modules. When they and the disk disagree, only starting over helps.
  if (missing() !== undefined) {
    for (const manifest of manifests) {
      rmSync(join(dirname(manifest), 'node_modules'), { recursive: true, force: true })
    }
    install()
  }
  const absent = missing()
  if (absent !== undefined) {
    console.error(`bootstrap: ${absent} is still missing after a fresh install`)
    process.exit(1)
  }
  writeFileSync(stamp, fingerprint())
}

function installed() {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint() && missing() === undefined
}

function install() {
  // Removed first: an install that is interrupted must not look like a finished one.
  rmSync(stamp, { force: true })
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const { status, error } = spawnSync('npx', ['--yes', packageManager, 'install', '--frozen-lockfile'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (error !== undefined) console.error(`bootstrap: npx could not be started: ${error.message}`)
  if (status !== 0) process.exit(status ?? 1)
}

/** The first thing that should be in a node_modules folder and is not. */
function missing() {
  // Without the first, npm would quietly run everything on the Node that started it. Other systems have no copy of
  // Node in the lockfile and use their own.
  const commands = process.platform === 'linux' ? ['node', 'turbo'] : ['turbo']
  for (const command of commands) {
    const file = join(root, 'node_modules/.bin', command)
    if (!existsSync(file)) return file
  }
  for (const manifest of manifests) {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(manifest, 'utf8'))
    for (const name of Object.keys({ ...dependencies, ...devDependencies })) {
      const file = join(dirname(manifest), 'node_modules', name, 'package.json')
      if (!existsSync(file)) return file
    }
  }
  return undefined
}

function fingerprint() {
  // The platform counts: a folder shared between two machines holds the native tools of only one of them.
  const hash = createHash('sha256').update(`${process.platform}-${process.arch}`)
  for (const file of [join(root, 'pnpm-lock.yaml'), join(root, 'pnpm-workspace.yaml'), ...manifests]) {
    hash.update(`\n${file}\n`).update(readFileSync(file))
  }
  return hash.digest('hex')
}

function foldersIn(folder) {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder)).map(name => join(folder, name))
}

import { execFile } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder with the installed packages and the compiled programs. */
    readonly installed: string
    /** The folder with the tarballs. */
    readonly tarballs: string
  }
}

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const BIN = join(ROOT, 'node_modules/.bin')
const PROGRAMS = fileURLToPath(new URL('programs', import.meta.url))

/**
 * Packs the packages, installs the tarballs into a folder outside of the repository, and compiles the programs against
 * them. Third-party packages are links to the versions of the lockfile, so nothing is fetched.
 */
export default async function install(project: TestProject): Promise<() => void> {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'limpet-apps-'))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  try {
    const tarballs = join(folder, 'tarballs')
    await run(
      join(BIN, 'pnpm'),
      ['--recursive', '--filter=./packages/*', 'pack', `--pack-destination=${tarballs}`],
      { cwd: ROOT },
    )
    const modules = join(folder, 'node_modules')
    for (const tarball of readdirSync(tarballs)) await unpack(join(tarballs, tarball), modules)
    for (const name of readdirSync(join(ROOT, 'packages')))
      linkDependencies(join(ROOT, 'packages', name), modules)
    linkDependencies(PROGRAMS, modules)
    cpSync(PROGRAMS, folder, {
      recursive: true,
      filter: source => !source.includes('node_modules', PROGRAMS.length),
    })
    await installForNest(folder, tarballs)
    await Promise.all([compile(folder), compile(join(folder, 'nest'))])
    installExpress4(folder)
    project.provide('installed', folder)
    project.provide('tarballs', tarballs)
  } catch (error) {
    remove()
    throw error
  }
  return remove
}

/** As npm does it: the content of the tarball under the package's name. */
async function unpack(tarball: string, modules: string): Promise<void> {
  const { stdout } = await run('tar', ['-xzOf', tarball, 'package/package.json'])
  const { name } = JSON.parse(stdout) as { name: string }
  const target = join(modules, name)
  mkdirSync(target, { recursive: true })
  await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', target])
}

/** Links the third-party dependencies of the package in `folder`, one version of each. */
function linkDependencies(folder: string, modules: string): void {
  const { dependencies = {}, peerDependencies = {} } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  ) as { dependencies?: object; peerDependencies?: object }
  for (const name of Object.keys({ ...dependencies, ...peerDependencies })) {
    const source = join(folder, 'node_modules', name)
    // The packages of this repository come from their tarballs.
    if (name === 'limpet' || name.startsWith('@limpet/') || !existsSync(source)) continue
    link(source, join(modules, name))
  }
}

function link(source: string, target: string): void {
  if (existsSync(target)) {
    const [installed, wanted] = [target, source].map(folder => versionOf(folder))
    if (installed !== wanted) throw new Error(`${target} is ${installed}, and ${source} is ${wanted}`)
    return
  }
  mkdirSync(dirname(target), { recursive: true })
  symlinkSync(realpathSync(source), target)
}

function versionOf(folder: string): string {
  return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }).version
}

/** Nest pins a version of Fastify: its programs have a folder with that one, and with the plugin beside it. */
async function installForNest(folder: string, tarballs: string): Promise<void> {
  const modules = join(folder, 'nest/node_modules')
  const platform = realpathSync(join(PROGRAMS, 'node_modules/@nestjs/platform-fastify'))
  link(join(platform, '../../fastify'), join(modules, 'fastify'))
  for (const tarball of readdirSync(tarballs)) {
    if (tarball.startsWith('limpet-fastify-')) await unpack(join(tarballs, tarball), modules)
  }
}

/** With the types of the installed packages, so that a program that does not fit them is an error here. */
async function compile(folder: string): Promise<void> {
  try {
    await run(join(BIN, 'tsc'), ['--project', folder])
  } catch (error) {
    const { stdout } = error as { stdout?: string }
    throw new Error(`The programs do not compile against the installed packages:\n${stdout}`, {
      cause: error,
    })
  }
}

/** The program for Express once more, in a folder that has Express 4. */
function installExpress4(folder: string): void {
  const target = join(folder, 'express-4')
  mkdirSync(join(target, 'node_modules'), { recursive: true })
  symlinkSync(realpathSync(join(PROGRAMS, 'node_modules/express-4')), join(target, 'node_modules/express'))
  for (const file of ['express.js', 'program.js']) cpSync(join(folder, file), join(target, file))
}

import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { describe, expect, inject, test } from 'vitest'

const PACKAGES = fileURLToPath(new URL('../../packages', import.meta.url))

interface Manifest {
  readonly name: string
  readonly license: string
  readonly keywords: readonly string[]
  readonly engines: { readonly node: string }
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

/** The files of a package that pnpm publishes. */
class Tarball {
  readonly file: string
  /** Paths in the package. */
  readonly files: readonly string[]
  readonly manifest: Manifest

  constructor(folder: string) {
    const { name } = JSON.parse(readFileSync(join(PACKAGES, folder, 'package.json'), 'utf8')) as Manifest
    const prefix = name.replace('@', '').replace('/', '-')
    const found = readdirSync(inject('tarballs')).find(file => file.replace(/-\d.*$/, '') === prefix)
    if (found === undefined) throw new Error(`no tarball of ${name}`)
    this.file = join(inject('tarballs'), found)
    const list = execFileSync('tar', ['-tzf', this.file], { encoding: 'utf8' })
    this.files = list
      .trim()
      .split('\n')
      .map(path => path.replace(/^package\//, ''))
    this.manifest = JSON.parse(this.read('package.json')) as Manifest
  }

  read(path: string): string {
    return execFileSync('tar', ['-xzOf', this.file, `package/${path}`], { encoding: 'utf8' })
  }
}

describe.each(readdirSync(PACKAGES))('the tarball of packages/%s', folder => {
  const tarball = new Tarball(folder)
  const { manifest, files } = tarball

  test('has a licence, a README, a changelog and what its manifest exports', () => {
    const exported = Object.values(manifest.exports).flatMap(target =>
      typeof target === 'string' ? [target] : Object.values(target),
    )
    expect(files).toEqual(
      expect.arrayContaining(['CHANGELOG.md', 'LICENSE', 'README.md', ...exported.map(normalize)]),
    )
  })

  test('has no sources, tests or notes of the compiler', () => {
    const unwanted = /^src\/|\.(?:test|bench)\.|tsbuildinfo|tsconfig|node_modules/
    expect(files.filter(file => unwanted.test(file))).toEqual([])
    expect(files.filter(file => !/^dist\/|^[\w.-]+$/.test(file))).toEqual([])
  })

  test('has a manifest for its users', () => {
    expect(manifest.license).toBe('MIT')
    expect(manifest.keywords.length).toBeGreaterThan(4)
    expect(manifest.engines.node).toBe('^22.15 || ^24 || >=26')
    const ranges = Object.values({ ...manifest.dependencies, ...manifest.peerDependencies })
    expect(ranges.filter(range => /^(?:workspace|catalog|file|link):/.test(range))).toEqual([])
  })

  test('has a README whose links lead to files of the tarball or of the repository', () => {
    const links = [...tarball.read('README.md').matchAll(/\]\((?!https?:|#)([^)#]+)/g)]
    const dead = links
      .map(([, link = '']) => link)
      .filter(link =>
        link.startsWith('../') ? !existsSync(join(PACKAGES, folder, link)) : !files.includes(normalize(link)),
      )
    expect(dead).toEqual([])
  })

  test('has declarations that every module resolution of Node finds', async () => {
    const checked = await checkPackage(createPackageFromTarballData(readFileSync(tarball.file)))
    const problems = checked.types === false ? [] : checked.problems
    // An ES module only: require() loads it on every supported Node. The resolution of Node 10 knows no exports.
    const real = problems.filter(
      problem =>
        problem.kind !== 'CJSResolvesToESM' &&
        !('resolutionKind' in problem && problem.resolutionKind === 'node10'),
    )
    expect(real).toEqual([])
  })
})

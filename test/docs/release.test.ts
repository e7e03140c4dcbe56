import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

interface Workflow {
  readonly permissions: object
  readonly jobs: {
    readonly publish: { readonly permissions: object; readonly steps: readonly { readonly run?: string }[] }
  }
}

/** The manifest of a copy of packages/core, after the script has seen it. */
function named(env: NodeJS.ProcessEnv): { repository?: unknown } {
  const folder = mkdtempSync(join(tmpdir(), 'release-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'core'))
  cpSync(join(ROOT, 'packages/core/package.json'), join(folder, 'core/package.json'))
  execFileSync(process.execPath, [join(ROOT, '.ci/name-repository.mjs'), folder], { env })
  return JSON.parse(readFileSync(join(folder, 'core/package.json'), 'utf8')) as { repository?: unknown }
}

test('a workflow writes its repository into the manifests, for the provenance', () => {
  const env = { GITHUB_SERVER_URL: 'https://git.example', GITHUB_REPOSITORY: 'owner/limpet' }
  expect(named(env).repository).toEqual({
    type: 'git',
    url: 'git+https://git.example/owner/limpet.git',
    directory: 'packages/core',
  })
  expect(named({}).repository).toBeUndefined()
})

test('the workflow has the rights to publish, in its one job, and runs scripts that there are', () => {
  const text = readFileSync(join(ROOT, '.github/workflows/release.yml'), 'utf8')
  const { permissions, jobs } = parse(text) as Workflow
  expect(permissions).toEqual({})
  expect(jobs.publish.permissions).toEqual({ contents: 'write', 'id-token': 'write' })
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object }
  const run = jobs.publish.steps.flatMap(step => /^npm run (\w+)$/.exec(step.run ?? '')?.[1] ?? [])
  expect(run).toEqual(['release'])
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining(run))
})

test('every package has a version of a release and its changelog', () => {
  for (const folder of readdirSync(join(ROOT, 'packages'))) {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'packages', folder, 'package.json'), 'utf8')) as {
      version: string
    }
    expect(readFileSync(join(ROOT, 'packages', folder, 'CHANGELOG.md'), 'utf8')).toContain(
      `\n## ${version}\n`,
    )
  }
})

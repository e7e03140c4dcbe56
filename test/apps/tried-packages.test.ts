import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { codeIn, readme, tableOf } from '../support/readme.ts'

const PROGRAMS = new URL('programs/', import.meta.url)

interface Manifest {
  readonly version: string
  readonly dependencies: Readonly<Record<string, string>>
}

function manifestIn(folder: string): Manifest {
  return JSON.parse(readFileSync(new URL(`${folder}package.json`, PROGRAMS), 'utf8')) as Manifest
}

/** As `11.4`. */
function versionOf(name: string): string {
  return manifestIn(`node_modules/${name}/`).version.replace(/\.\d+$/, '')
}

describe.each(['fastify', 'express', 'koa'])('the table of tried packages of packages/%s', folder => {
  const rows = tableOf(readme(`packages/${folder}`), 'tried packages')

  test('has the versions that are in the applications', () => {
    const names = rows.map(([name]) => codeIn(name)[0] ?? '')
    const versions = names.map(name =>
      name === 'express' ? `${versionOf('express')}, ${versionOf('express-4')}` : versionOf(name),
    )
    expect(rows.map(([, version]) => version)).toEqual(versions)
  })
})

test('the README of @limpet/express has the WebSocket adapter that the applications on Nest use', () => {
  const adapter = readFileSync(fileURLToPath(new URL('nest/shared-ws-adapter.ts', PROGRAMS)), 'utf8')
  expect(readme('packages/express').text).toContain(`\`\`\`typescript\n${adapter}\`\`\``)
})

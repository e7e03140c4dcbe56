// Writes the repository into the manifests, which a provenance has to match. A workflow knows its repository, and the
// files of the repository do not: a fork publishes with its own name. Elsewhere it changes nothing.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const packages = resolve(
  process.argv[2] ?? join(dirname(dirname(fileURLToPath(import.meta.url))), 'packages'),
)
const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: name } = process.env

if (server !== undefined && name !== undefined) {
  for (const folder of readdirSync(packages)) {
    const file = join(packages, folder, 'package.json')
    const manifest = JSON.parse(readFileSync(file, 'utf8'))
    manifest.repository = { type: 'git', url: `git+${server}/${name}.git`, directory: `packages/${folder}` }
    writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`)
  }
}

import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describedSchema } from '../support/described-schema.ts'

/* Writes the JSON Schema of the gateway's file from the tables of options: npm run schema. */

const FILE = fileURLToPath(new URL('../../packages/gateway/schema.json', import.meta.url))

writeFileSync(FILE, `${JSON.stringify(describedSchema(), null, 2)}\n`)
const { status } = spawnSync('oxfmt', [FILE], { stdio: 'inherit' })
process.exitCode = status ?? 1
